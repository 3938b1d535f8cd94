import type { Offer } from '../../api/interfaces'
import type { Column } from '../../components/DataTable'
import { countColumns, countOf, ErrorRatio, Statuses, UntimedBadge } from '../../components/Interface'
import { navigate } from '../../components/navigation'
import { formatCount, formatDuration, formatLatency, formatRate, formatRatio } from '../../lib/format'
import { idOf } from '../../lib/offers'
import { protocolName } from '../../lib/protocol'
import type { SortValue } from '../../lib/rank'
import type { OffersView } from '../../lib/url'
import type { Lens } from './lenses'

export function sortValue(offer: Offer, column: string): SortValue {
  const { red } = offer
  switch (column) {
    case 'offer':
      return `${offer.target} ${offer.operation}`
    case 'place':
      return offer.service
    case 'callers':
      return offer.callers.length
    case 'time':
      return offer.time
    case 'rate':
      return red.rate
    case 'errors':
      return red.errorRatio
    case 'mean':
      return red.mean
    case 'p50':
      return red.p50
    case 'p95':
      return red.p95
    case 'p99':
      return red.p99
    case 'slow':
      return red.slow
    default:
      return countOf(offer, column)
  }
}

export interface Shape {
  /** A panel is open beside the table. */
  isNarrow: boolean
  counted: readonly string[]
  /** There are several protocols. */
  isMixed: boolean
  /** Seconds spent in all of them. */
  total: number
}

export function columnsOf(view: OffersView, lens: Lens, { isNarrow, isMixed, counted, total }: Shape): Column<Offer>[] {
  const isDatabase = view.page === 'databases'
  const figure = (id: string, title: string, hint: string, text: (o: Offer) => string, width = '80px'): Column<Offer> => ({
    id, title, hint, width, isNumber: true, value: (o) => sortValue(o, id), cell: (o) => text(o),
  })
  const offer: Column<Offer> = {
    id: 'offer',
    title: lens.offer.charAt(0).toUpperCase() + lens.offer.slice(1),
    value: (o) => sortValue(o, 'offer'),
    cell: (o) => <Name view={view} offer={o} isWrapped={isDatabase} />,
  }
  const place: Column<Offer> = { id: 'place', title: lens.place, width: '12%', value: (o) => o.service, cell: (o) => <Place offer={o} isProtocolTold={isMixed} /> }
  const callers: Column<Offer> = { id: 'callers', title: 'Called by', width: '12%', value: (o) => o.callers.length, cell: (o) => <Callers offer={o} /> }
  const statuses: Column<Offer> = { id: 'statuses', title: view.page === 'dns' ? 'Answers' : 'Statuses', width: '19%', cell: (o) => <Statuses row={o} /> }
  const time: Column<Offer> = {
    id: 'time', title: 'Time', hint: 'Time spent in it, all requests together, and its share of what is shown', width: '152px', isNumber: true, value: (o) => o.time,
    cell: (o) => <Time offer={o} total={total} />,
  }
  return [
    offer,
    ...(isNarrow ? [] : view.of === undefined ? [place, callers] : [callers]),
    ...(isDatabase ? [time] : [statuses]),
    figure('rate', 'Requests', 'Requests per second', (o) => formatRate(o.red.rate), '84px'),
    { ...figure('errors', 'Errors', 'Share of requests that failed', () => '', '76px'), cell: (o) => <ErrorRatio red={o.red} /> },
    ...(isNarrow ? [] : [figure('p50', 'P50', 'Half of the requests are faster', (o) => formatLatency(o.red.p50))]),
    figure('p95', 'P95', '95 % of the requests are faster', (o) => formatLatency(o.red.p95)),
    ...(isNarrow || isDatabase ? [] : [figure('p99', 'P99', '99 % of the requests are faster', (o) => formatLatency(o.red.p99))]),
    ...(isNarrow ? [] : [figure('slow', 'Slow', 'Requests slower than the threshold', (o) => formatCount(o.red.slow), '64px')]),
    ...(isNarrow ? [] : countColumns<Offer>(counted.slice(0, 2))),
  ]
}

function Name({ view, offer, isWrapped }: { view: OffersView; offer: Offer; isWrapped: boolean }) {
  const id = idOf(offer)
  const open = () => navigate({ ...view, selected: view.selected === id ? undefined : id }, view.selected !== undefined)
  // A statement begins with its operation: said once is enough.
  const isTold = offer.target.toUpperCase().startsWith(offer.operation.toUpperCase())
  return (
    <span className="interface-name">
      {offer.operation !== '' && !(isWrapped && isTold) && <span className="method">{offer.operation}</span>}
      <button type="button" className="stretched offer-name" title={`${offer.operation} ${offer.target}`} onClick={open}>
        <code className={isWrapped ? 'statement-lines' : 'ellipsis'}>{offer.target || (offer.operation ? '' : 'other')}</code>
      </button>
      <UntimedBadge red={offer.red} />
    </span>
  )
}

function Place({ offer, isProtocolTold }: { offer: Offer; isProtocolTold: boolean }) {
  return (
    <span className="offer-place" title={`${offer.service}, ${protocolName(offer.protocol)}`}>
      <span className="ellipsis">{offer.service}</span>
      {isProtocolTold && <span className="faint">{protocolName(offer.protocol)}</span>}
    </span>
  )
}

function Callers({ offer: { callers } }: { offer: Offer }) {
  return (
    <span className="two-lines" title={callers.map((c) => `${c.name}: ${formatRate(c.red.rate)}, ${formatRatio(c.red.errorRatio)} errors`).join('\n')}>
      {callers.length === 0 ? <span className="faint">not on this host</span> : callers.map((c) => c.name).join(', ')}
    </span>
  )
}

function Time({ offer, total }: { offer: Offer; total: number }) {
  if (offer.red.untimed) return <span className="faint">not timed</span>
  const share = total > 0 ? offer.time / total : 0
  return (
    <span className="time-share">
      <span className="time-bar">
        <i style={{ width: `${share * 100}%` }} />
      </span>
      <span title={`${formatRatio(share)} of the time of all shown`}>{formatDuration(offer.time)}</span>
    </span>
  )
}
