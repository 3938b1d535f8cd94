import './service.css'
import { useService, type ServiceReply } from '../../api/service'
import { ApiError } from '../../api/client'
import { navigate } from '../../components/navigation'
import { ErrorMessage, LoadingRows, Message } from '../../components/States'
import { absoluteRange } from '../../lib/time'
import type { ServiceView } from '../../lib/url'
import { GoldenCharts } from './GoldenCharts'
import { Instances } from './Instances'
import { Interfaces } from './Interfaces'
import { Neighbours } from './Neighbours'
import { Samples } from './Samples'
import { ServiceHead } from './ServiceHead'

export default function ServicePage({ view }: { view: ServiceView }) {
  const query = useService(view.service, view.side)
  if (query.data) return <Loaded view={view} reply={query.data} isStale={query.isPlaceholderData} />
  if (query.error instanceof ApiError && query.error.status === 404) return <NotSeen service={view.service} />
  if (query.error) return <ErrorMessage error={query.error} retry={() => void query.refetch()} />
  return <LoadingRows rows={4} height={210} />
}

function Loaded({ view, reply, isStale }: { view: ServiceView; reply: ServiceReply; isStale: boolean }) {
  const selectRange = (start: number, end: number) => {
    const range = absoluteRange(start, end)
    if (range) navigate({ ...view, range })
  }
  return (
    <div className={isStale ? 'service stale' : 'service'}>
      <ServiceHead view={view} reply={reply} />
      <GoldenCharts reply={reply} onSelect={selectRange} />
      <Interfaces view={view} reply={reply} />
      <Samples view={view} side={reply.side} />
      <Instances view={view} reply={reply} />
      <Neighbours view={view} reply={reply} />
    </div>
  )
}

function NotSeen({ service }: { service: string }) {
  return (
    <Message title={`No traffic of “${service}” in this time range`}>
      <p>It neither served nor made a request then. Choose a longer range, or go back to the overview.</p>
    </Message>
  )
}
