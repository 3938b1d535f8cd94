import type { Service } from '../../api/services'
import type { RED, Severity } from '../../api/types'
import type { Column } from '../../components/DataTable'
import { CloudIcon } from '../../components/icons'
import { Link } from '../../components/navigation'
import { LanguageBadge } from '../../components/Panel'
import { ReasonsLine, SeverityMark } from '../../components/Severity'
import { Sparkline } from '../../components/Sparkline'
import { formatCount, formatLatency, formatRate, formatRatio, languageName } from '../../lib/format'
import type { SortValue } from '../../lib/rank'
import { serviceFrom, type View } from '../../lib/url'

const SEVERITY_RANK: Record<Severity, number> = { ok: 0, warning: 1, critical: 2 }

/** What a service served; of one that serves nothing, what it made. */
function shownRED(service: Service): RED | undefined {
  return service.server ?? service.client
}

export function sortValue(service: Service, column: string): SortValue {
  const red = shownRED(service)
  switch (column) {
    case 'status':
      return SEVERITY_RANK[service.severity]
    case 'name':
      return service.name
    case 'rate':
      return red?.rate
    case 'errors':
      return red?.errorRatio
    case 'p50':
      return red?.p50
    case 'p95':
      return red?.p95
    case 'p99':
      return red?.p99
    case 'slow':
      return red?.slow
    default:
      return undefined
  }
}

function hotClass(service: Service, signal: string): string {
  const reason = service.reasons.find((r) => r.signal === signal)
  if (!reason) return ''
  return reason.severity === 'critical' ? 'cell-hot' : 'cell-warm'
}

export function columns(view: View): Column<Service>[] {
  const duration = (id: string, title: string, pick: (red: RED) => number, isJudged = false): Column<Service> => ({
    id,
    title,
    hint: `${title} of the duration: ${title.slice(1)} % of requests are faster`,
    width: '88px',
    isNumber: true,
    value: (s) => sortValue(s, id),
    cell: (s) => {
      const red = shownRED(s)
      return <span className={isJudged ? hotClass(s, 'latency') : ''}>{formatLatency(red && pick(red))}</span>
    },
  })
  return [
    { id: 'status', title: '', width: '38px', cell: (s) => <SeverityMark severity={s.severity} /> },
    { id: 'name', title: 'Service', width: '25%', value: (s) => s.name, cell: (s) => <NameCell service={s} view={view} /> },
    { id: 'reasons', title: 'What is wrong', cell: (s) => (s.reasons.length > 0 ? <ReasonsLine reasons={s.reasons} /> : null) },
    { id: 'rate', title: 'Requests', hint: 'Requests per second over the range; failed ones in red', width: '210px', isNumber: true, value: (s) => sortValue(s, 'rate'), cell: (s) => <RateCell service={s} /> },
    { id: 'errors', title: 'Errors', hint: 'Share of requests that failed', width: '84px', isNumber: true, value: (s) => sortValue(s, 'errors'), cell: (s) => <ErrorCell service={s} /> },
    duration('p50', 'P50', (red) => red.p50),
    duration('p95', 'P95', (red) => red.p95, true),
    duration('p99', 'P99', (red) => red.p99),
    { id: 'slow', title: 'Slow', hint: 'Requests slower than the threshold', width: '76px', isNumber: true, value: (s) => sortValue(s, 'slow'), cell: (s) => <CountCell value={shownRED(s)?.slow} /> },
  ]
}

function NameCell({ service, view }: { service: Service; view: View }) {
  return (
    <span className="name-cell">
      <Link to={serviceFrom(view, service.name)} className="stretched" title={service.name}>
        {service.name}
      </Link>
      <LanguageBadge name={languageName(service.language)} />
      {service.external && (
        <span className="badge badge-external">
          <CloudIcon width={12} height={12} /> external
        </span>
      )}
      {service.instances > 1 && (
        <span className="faint" title={`${service.instances} instances`}>
          ×{service.instances}
        </span>
      )}
      {!service.server && service.client && <span className="badge">only calls</span>}
    </span>
  )
}

function RateCell({ service }: { service: Service }) {
  const rate = shownRED(service)?.rate
  return (
    <span className="rate-cell">
      <Sparkline values={service.spark} errors={service.sparkError} width={110} height={22} label={`Requests over time, now ${formatRate(service.spark.at(-1))}`} />
      <span>{formatRate(rate)}</span>
    </span>
  )
}

function ErrorCell({ service }: { service: Service }) {
  const ratio = shownRED(service)?.errorRatio
  return <span className={ratio === 0 ? 'cell-zero' : hotClass(service, 'errors')}>{formatRatio(ratio)}</span>
}

function CountCell({ value }: { value: number | undefined }) {
  return <span className={value === 0 ? 'cell-zero' : ''}>{formatCount(value)}</span>
}
