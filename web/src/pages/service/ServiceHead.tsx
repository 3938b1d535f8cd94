import { Button, SegmentedControl } from '@mantine/core'
import type { ServiceReply } from '../../api/service'
import type { RED } from '../../api/types'
import { MapIcon } from '../../components/icons'
import { Link, navigate } from '../../components/navigation'
import { LanguageBadge } from '../../components/Panel'
import { ReasonsList, SeverityMark } from '../../components/Severity'
import { formatBytes, formatCount, formatDuration, formatExact, formatLatency, formatRate, formatRatio, languageName, NONE, plural } from '../../lib/format'
import { mapFrom, overviewFrom, type ServiceView } from '../../lib/url'

export function ServiceHead({ view, reply }: { view: ServiceView; reply: ServiceReply }) {
  const { service } = reply
  const red = reply.side === 'client' ? service.client : service.server
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <Link to={overviewFrom(view)}>← All services</Link>
      </nav>
      <div className="page-head">
        <SeverityMark severity={service.severity} size={18} />
        <h1>{service.name}</h1>
        <LanguageBadge name={languageName(service.language)} />
        {service.external ? <span className="badge badge-external">external</span> : <span className="badge">{plural(service.instances, 'instance')}</span>}
        <div className="push service-tools">
          {service.server && service.client && (
            <SegmentedControl
              size="xs"
              aria-label="Which requests"
              value={reply.side}
              data={[
                { value: 'server', label: 'Requests served' },
                { value: 'client', label: 'Requests made' },
              ]}
              onChange={(side) => navigate({ ...view, side: side === 'client' ? 'client' : 'server', sort: undefined, search: '' })}
            />
          )}
          <Button component={Link} to={mapFrom(view, service.name)} size="xs" variant="default" leftSection={<MapIcon />}>
            On the map
          </Button>
        </div>
      </div>
      <ReasonsList reasons={service.reasons} />
      {red ? <Figures red={red} reply={reply} /> : <p className="faint">{reply.side === 'client' ? 'It made no requests in this range.' : 'It served no requests in this range.'}</p>}
    </>
  )
}

function Figures({ red, reply }: { red: RED; reply: ServiceReply }) {
  const tone = (signal: string) => {
    const reason = reply.side === 'server' ? reply.service.reasons.find((r) => r.signal === signal) : undefined
    return reason ? `text-${reason.severity}` : ''
  }
  const figures = [
    { name: 'Requests', value: formatRate(red.rate), note: `${formatExact(red.requests)} in range` },
    { name: 'Errors', value: formatRatio(red.errorRatio), note: errorNote(red), tone: tone('errors') },
    { name: 'P50', value: formatLatency(red.p50), note: `mean ${formatLatency(red.mean)}` },
    { name: 'P90', value: formatLatency(red.p90) },
    { name: 'P95', value: formatLatency(red.p95), tone: tone('latency') },
    { name: 'P99', value: formatLatency(red.p99) },
    { name: 'Slow', value: formatCount(red.slow), note: `over ${formatDuration(reply.slowThreshold)}`, tone: tone('slow') },
    { name: 'Bytes', value: red.requests > 0 ? formatBytes(red.responseBytes) : NONE, note: `out, ${formatBytes(red.requestBytes)} in` },
  ]
  return (
    <dl className="figures">
      {figures.map(({ name, value, note, tone: color }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className={color}>{value}</dd>
          <dd className="figure-note">{note ?? ''}</dd>
        </div>
      ))}
    </dl>
  )
}

function errorNote(red: RED): string {
  const types = Object.entries(red.errorsByType ?? {}).sort((a, b) => b[1] - a[1])
  if (types.length === 0) return 'none'
  return types
    .slice(0, 2)
    .map(([type, count]) => `${formatCount(count)} × ${type}`)
    .join(', ')
}
