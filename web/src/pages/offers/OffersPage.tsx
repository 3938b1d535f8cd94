import './offers.css'
import { useMemo } from 'react'
import { useInterfaces, type InterfacesReply, type Offerer } from '../../api/interfaces'
import { Mark } from '../../components/icons'
import { navigate } from '../../components/navigation'
import { SearchField } from '../../components/SearchField'
import { ErrorMessage, LoadingRows, Message } from '../../components/States'
import { formatExact, plural } from '../../lib/format'
import { protocolName } from '../../lib/protocol'
import type { OffersView } from '../../lib/url'
import { DestinationTable } from './DestinationTable'
import { LENSES, type Lens } from './lenses'
import { Offerers } from './Offerers'
import { OfferTable } from './OfferTable'

export default function OffersPage({ view }: { view: OffersView }) {
  const lens = LENSES[view.page]
  const query = useInterfaces(lens.kinds)
  if (query.data) return <Loaded view={view} lens={lens} reply={query.data} isStale={query.isPlaceholderData} />
  if (query.error) return <ErrorMessage error={query.error} retry={() => void query.refetch()} />
  return (
    <>
      <div className="page-head" />
      <LoadingRows rows={1} height={110} />
      <div className="panel">
        <LoadingRows rows={9} height={48} />
      </div>
    </>
  )
}

interface LoadedProps {
  view: OffersView
  lens: Lens
  reply: InterfacesReply
  isStale: boolean
}

function Loaded({ view, lens, reply, isStale }: LoadedProps) {
  const offers = useMemo(() => (view.of === undefined ? reply.offers : reply.offers.filter((o) => o.service === view.of)), [reply.offers, view.of])
  if (reply.offerers.length === 0) return <Nothing view={view} lens={lens} protocols={reply.protocols} />
  const Table = view.page === 'queues' ? DestinationTable : OfferTable
  return (
    <div className={isStale ? 'offers stale' : 'offers'}>
      <div className="page-head">
        <h1>{lens.title}</h1>
        <Headline offerers={reply.offerers} lens={lens} />
        <div className="push">
          <SearchField value={view.search} placeholder={`Filter ${lens.offers}`} onChange={(search) => navigate({ ...view, search }, true)} />
        </div>
      </div>
      <Offerers view={view} offerers={reply.offerers} />
      <Table view={view} lens={lens} offers={offers} reply={reply} />
      {reply.offers.length < reply.total && (
        <p className="faint">
          These are the {formatExact(reply.offers.length)} that took most time, of {formatExact(reply.total)}.
        </p>
      )}
    </div>
  )
}

function Headline({ offerers, lens }: { offerers: readonly Offerer[]; lens: Lens }) {
  const services = new Set(offerers.map((o) => o.service)).size
  const abnormal = new Set(offerers.filter((o) => o.severity !== 'ok').map((o) => o.service)).size
  return (
    <span className="sub">
      {plural(services, lens.offerer, lens.offerers)}
      {abnormal > 0 && <span className="text-critical"> · {abnormal} abnormal</span>}
    </span>
  )
}

function Nothing({ view, lens, protocols }: { view: OffersView; lens: Lens; protocols: readonly string[] }) {
  const names = protocols.map(protocolName)
  const last = names.at(-1)
  const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last
  return (
    <Message title={view.range.kind === 'absolute' ? `No ${lens.offerer} was asked anything in this time range` : `No ${lens.offerer} has been asked anything yet`} icon={<Mark size={36} />}>
      <p>
        {list === undefined
          ? 'This build of Sonde reads no protocol of this kind.'
          : `Sonde reads ${list}, on any port, with nothing to configure. What a service of this host asks or answers appears here within seconds.`}
      </p>
    </Message>
  )
}
