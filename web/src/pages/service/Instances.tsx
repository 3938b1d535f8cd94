import type { Instance, ServiceReply } from '../../api/service'
import { navigate } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { SeverityMark } from '../../components/Severity'
import { Sparkline } from '../../components/Sparkline'
import { formatExact, formatLatency, formatRate, formatRatio, languageName } from '../../lib/format'
import { commonMax, type Values } from '../../lib/series'
import type { ServiceView } from '../../lib/url'

/** All instances in one scale per signal: the one that is different is seen before it is read. */
export function Instances({ view, reply }: { view: ServiceView; reply: ServiceReply }) {
  const { instances } = reply
  const max = {
    rate: commonMax(instances.map((i) => i.rate)),
    errorRatio: commonMax(instances.map((i) => i.errorRatio)),
    p95: commonMax(instances.map((i) => i.p95)),
  }
  return (
    <Panel title="Instances" note={`${formatExact(instances.length)}, side by side in the same scale`}>
      {instances.length === 0 && <p className="table-empty">None in this time range.</p>}
      <ul className="instances">
        {instances.map((instance) => (
          <li key={instance.id}>
            <InstanceCard view={view} side={reply.side} instance={instance} max={max} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

interface InstanceCardProps {
  view: ServiceView
  side: string
  instance: Instance
  max: { rate: number; errorRatio: number; p95: number }
}

function InstanceCard({ view, side, instance, max }: InstanceCardProps) {
  const red = side === 'client' ? instance.client : instance.server
  const isSelected = view.instance === instance.id
  const tone = (signal: string) => {
    const severity = instance.reasons.find((r) => r.signal === signal)?.severity
    return severity === 'critical' || severity === 'warning' ? severity : 'neutral'
  }
  return (
    <article className="instance" data-severity={instance.severity} data-selected={isSelected}>
      <button type="button" className="instance-head" aria-pressed={isSelected} onClick={() => navigate({ ...view, instance: isSelected ? undefined : instance.id }, true)}>
        <SeverityMark severity={instance.severity} />
        <span className="mono ellipsis" title={instance.id}>
          {instance.id}
        </span>
      </button>
      <p className="instance-facts ellipsis">{facts(instance)}</p>
      {instance.reasons.map((reason) => (
        <p key={reason.text} className={`instance-reason text-${reason.severity}`}>
          {reason.text}
        </p>
      ))}
      <div className="instance-signals">
        <Signal name="Requests" value={formatRate(red?.rate)} values={instance.rate} max={max.rate} tone={tone('traffic')} />
        <Signal name="Errors" value={formatRatio(red?.errorRatio)} values={instance.errorRatio} max={max.errorRatio} tone={tone('errors')} />
        <Signal name="P95" value={formatLatency(red?.p95)} values={instance.p95} max={max.p95} tone={tone('latency')} />
      </div>
      {isSelected && <Details instance={instance} />}
    </article>
  )
}

function facts(instance: Instance): string {
  const parts = [
    instance.pid !== undefined ? `pid ${instance.pid}` : '',
    instance.executable ?? '',
    instance.unit ?? '',
    instance.containerId ? `container ${instance.containerId.slice(0, 12)}` : '',
  ]
  return parts.filter(Boolean).join(' · ')
}

interface SignalProps {
  name: string
  value: string
  values: Values
  max: number
  tone: 'neutral' | 'warning' | 'critical'
}

function Signal({ name, value, values, max, tone }: SignalProps) {
  return (
    <div>
      <span className="signal-name">{name}</span>
      <span className={tone === 'neutral' ? 'signal-value' : `signal-value text-${tone}`}>{value}</span>
      <Sparkline values={values} max={max} width={120} height={40} tone={tone} label={`${name} over time`} />
    </div>
  )
}

/** What identifies the process, for whoever wants to look at it next. */
function Details({ instance }: { instance: Instance }) {
  const rows: [string, string | undefined][] = [
    ['Host', instance.host],
    ['Language', languageName(instance.language)],
    ['Executable', instance.executable],
    ['Unit', instance.unit],
    ['Container', instance.containerId],
    ['Requests served', instance.server && formatExact(instance.server.requests)],
    ['Requests made', instance.client && formatExact(instance.client.requests)],
    ['P99', formatLatency((instance.server ?? instance.client)?.p99)],
  ]
  return (
    <dl className="golden instance-details">
      {rows.map(([name, value]) =>
        value ? (
          <div key={name} className="contents">
            <dt>{name}</dt>
            <dd className="ellipsis" title={value}>
              {value}
            </dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}
