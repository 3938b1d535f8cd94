import { useMemo } from 'react'
import type { Caller, Offer } from '../../api/interfaces'
import { DataTable, type Column } from '../../components/DataTable'
import { ErrorRatio, Statuses, UntimedBadge } from '../../components/Interface'
import { Link, navigate } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { formatCount, formatExact, formatLatency, formatRate, NONE } from '../../lib/format'
import { destinationId, destinations, furthestBehind, type Destination, type Flow, type Lag } from '../../lib/offers'
import { protocolName } from '../../lib/protocol'
import { matches, sortRows, type SortValue } from '../../lib/rank'
import { serviceFrom, type OffersView } from '../../lib/url'
import { CallerList, Counted, PlaceLine, SidePanel } from './OfferPanel'
import type { OfferTableProps } from './OfferTable'

const DEFAULT_SORT = { column: 'in', direction: 'desc' } as const

/** Topics and queues: what goes in and out of each, and through whom. */
export function DestinationTable({ view, lens, offers, reply }: OfferTableProps) {
  const seconds = reply.range.end - reply.range.start
  const levels = useMemo(() => (view.of === undefined ? reply.levels : reply.levels.filter((l) => l.service === view.of)), [reply.levels, view.of])
  const all = useMemo(() => destinations(offers, levels, seconds), [offers, levels, seconds])
  const rows = useMemo(() => {
    const found = all.filter((d) => matches(view.search, d.target, d.service, d.protocol, ...[...d.producers, ...d.consumers].map((c) => c.name), ...d.lags.map((l) => l.client), ...d.groups.map((g) => g.group)))
    return sortRows(found, view.sort ?? DEFAULT_SORT, sortValue)
  }, [all, view.search, view.sort])
  const selected = all.find((d) => destinationId(d) === view.selected)
  const hasLag = all.some((d) => furthestBehind(d) !== undefined)
  const columns = useMemo(() => columnsOf(view, selected !== undefined, hasLag), [view, selected, hasLag])
  return (
    <div className="offers-body" data-open={selected !== undefined}>
      <Panel title={view.of === undefined ? 'Destinations' : `Destinations of ${view.of}`} note={formatExact(rows.length)} isFlush>
        <DataTable
          label="Destinations"
          columns={columns}
          rows={rows}
          rowKey={destinationId}
          rowClass={(d) => (destinationId(d) === view.selected ? 'row-link row-selected' : 'row-link')}
          rowHeight={44}
          sort={view.sort ?? DEFAULT_SORT}
          onSort={(sort) => navigate({ ...view, sort }, true)}
        />
        {rows.length === 0 && <p className="table-empty">{all.length === 0 ? `No ${lens.offer} in this time range.` : `None matches “${view.search}”.`}</p>}
      </Panel>
      {selected && <DestinationPanel view={view} destination={selected} />}
    </div>
  )
}

function sortValue(d: Destination, column: string): SortValue {
  switch (column) {
    case 'offer':
      return d.target
    case 'place':
      return d.service
    case 'producers':
      return d.producers.length
    case 'consumers':
      return d.consumers.length
    case 'in':
      return d.produced.perSecond
    case 'out':
      return d.consumed.perSecond
    case 'lag':
      return furthestBehind(d)?.records
    case 'rate':
      return d.all.rate
    case 'errors':
      return d.all.errorRatio
    case 'p95':
      return d.sendP95
    default:
      return undefined
  }
}

function columnsOf(view: OffersView, isNarrow: boolean, hasLag: boolean): Column<Destination>[] {
  const value = (id: string) => (d: Destination) => sortValue(d, id)
  const figure = (id: string, title: string, hint: string, width: string, cell: Column<Destination>['cell']): Column<Destination> => ({
    id, title, hint, width, isNumber: true, value: value(id), cell,
  })
  const wide: Column<Destination>[] = [
    { id: 'place', title: 'Broker', width: '15%', value: value('place'), cell: (d) => <Broker destination={d} /> },
    { id: 'producers', title: 'Producers', hint: 'Services of this host that put something in', width: '16%', value: value('producers'), cell: (d) => <Names callers={d.producers} none="none seen" /> },
    { id: 'consumers', title: 'Consumers', hint: 'Services of this host that take something out', width: '16%', value: value('consumers'), cell: (d) => <Names callers={d.consumers} others={membersOf(d)} none="none seen" /> },
  ]
  return [
    { id: 'offer', title: 'Destination', value: value('offer'), cell: (d) => <Name view={view} destination={d} /> },
    ...(isNarrow ? [] : wide),
    figure('in', 'In', 'Messages put in per second (requests, where the protocol does not count messages)', '100px', (d) => <Messages flow={d.produced} />),
    figure('out', 'Out', 'Messages taken out per second', '100px', (d) => <Messages flow={d.consumed} />),
    ...(hasLag ? [figure('lag', 'Lag', 'Records that the consumer group furthest behind has not committed; or that a consumer without group has not fetched', '112px', (d) => <Behind destination={d} />)] : []),
    figure('rate', 'Requests', 'All requests on it per second', '92px', (d) => formatRate(d.all.rate)),
    figure('errors', 'Errors', 'Share of all requests that failed', '80px', (d) => <ErrorRatio red={d.all} />),
    figure('p95', 'Send P95', '95 % of the requests that put something in are faster', '92px', (d) => formatLatency(d.sendP95)),
  ]
}

function Name({ view, destination }: { view: OffersView; destination: Destination }) {
  const id = destinationId(destination)
  return (
    <button
      type="button"
      className="stretched offer-name"
      title={destination.target || 'Requests about no destination in particular: they connect, ping, or ask for several'}
      onClick={() => navigate({ ...view, selected: view.selected === id ? undefined : id }, view.selected !== undefined)}
    >
      {destination.target ? <code className="ellipsis">{destination.target}</code> : <span className="faint ellipsis">no destination ({operationsOf(destination)})</span>}
    </button>
  )
}

function operationsOf({ offers }: Destination): string {
  return busiestFirst(offers).map(({ operation }) => operation).join(', ')
}

function busiestFirst(offers: readonly Offer[]): Offer[] {
  return [...offers].sort((a, b) => b.red.rate - a.red.rate)
}

function Broker({ destination }: { destination: Destination }) {
  return (
    <span className="offer-place" title={destination.service}>
      <span className="ellipsis">{destination.service}</span>
      <span className="faint">{protocolName(destination.protocol)}</span>
    </span>
  )
}

/** Others are known by name only: they ask for this destination together with more. */
function Names({ callers, others = [], none }: { callers: readonly Caller[]; others?: readonly string[]; none: string }) {
  const more = others.filter((name) => callers.every((c) => c.name !== name))
  if (callers.length + more.length === 0) return <span className="faint">{none}</span>
  return (
    <span className="ellipsis" title={[...callers.map((c) => `${c.name}: ${formatRate(c.red.rate)}`), ...more].join('\n')}>
      {[...callers.map((c) => c.name), ...more].join(', ')}
    </span>
  )
}

/** Services that tell of their lag. */
function membersOf({ lags, groups }: Destination): string[] {
  return [...new Set([...lags, ...groups.flatMap((g) => g.members)].map((l) => l.client))]
}

/** Of two groups that do not share the records, one may be far behind. */
function Behind({ destination }: { destination: Destination }) {
  const furthest = furthestBehind(destination)
  if (!furthest) return <span className="faint">{NONE}</span>
  const all = [
    ...destination.groups.map((g) => `group ${g.group}: ${formatExact(g.records)} not committed`),
    ...destination.lags.map((l) => `${l.client}: ${formatExact(l.records)} not fetched`),
  ]
  return (
    <span className="offer-place" title={all.join('\n')}>
      <span>{formatCount(furthest.records)}</span>
      <span className="faint ellipsis">{furthest.name}</span>
    </span>
  )
}

function Messages({ flow }: { flow: Flow }) {
  if (flow.requests === 0) return <span className="faint">{NONE}</span>
  return <span title={flow.isMessages ? 'messages' : 'requests: this protocol does not tell the number of messages'}>{formatRate(flow.perSecond)}</span>
}

function DestinationPanel({ view, destination }: { view: OffersView; destination: Destination }) {
  const [first] = destination.offers
  return (
    <SidePanel view={view} label="One destination">
      <PlaceLine view={view} service={destination.service} protocol={destination.protocol} kind={first?.kind ?? 'messaging'} />
      {destination.target && <pre className="statement">{destination.target}</pre>}
      <CallerList view={view} title="Producers" callers={destination.producers} none="No service of this host puts anything in." />
      <CallerList view={view} title="Consumers" callers={destination.consumers} none={membersOf(destination).length > 0 ? 'Those below ask for several destinations at once.' : 'No service of this host takes anything out.'} />
      <Groups view={view} destination={destination} />
      <NotFetched view={view} destination={destination} />
      <Operations offers={destination.offers} />
      <Counted offers={destination.offers} />
    </SidePanel>
  )
}

/** By group: what its members on this host have not committed. */
function Groups({ view, destination: { groups } }: { view: OffersView; destination: Destination }) {
  if (groups.length === 0) return null
  return (
    <section aria-label="Consumer groups">
      <h3>Consumer groups</h3>
      {groups.map(({ group, records, members }) => (
        <dl key={group} className="golden group-lag">
          <dt className="ellipsis" title={group}>
            <code>{group}</code>
          </dt>
          <dd title={formatExact(records)}>{behind(records)}</dd>
          <Members view={view} members={members} />
        </dl>
      ))}
      <p className="faint lag-note">Not committed yet, in the partitions that are fetched on this host: as of the last fetch and commit at the end of the time range.</p>
    </section>
  )
}

/** By consumer: what none of its connections has fetched yet. */
function NotFetched({ view, destination: { lags } }: { view: OffersView; destination: Destination }) {
  if (lags.length === 0) return null
  return (
    <section aria-label="Consumer lag">
      <h3>Not fetched</h3>
      <dl className="golden">
        <Members view={view} members={lags} />
      </dl>
      <p className="faint lag-note">As of the last fetch at the end of the time range.</p>
    </section>
  )
}

function Members({ view, members }: { view: OffersView; members: readonly Lag[] }) {
  return members.map(({ client, records }) => (
    <div key={client} className="contents">
      <dt>
        <Link to={serviceFrom(view, client)} className="ellipsis">
          {client}
        </Link>
      </dt>
      <dd title={formatExact(records)}>{behind(records)}</dd>
    </div>
  ))
}

function behind(records: number): string {
  return records === 1 ? '1 record' : `${formatCount(records)} records`
}

/** What is asked about the destination: sending, receiving, and the rest. */
function Operations({ offers }: { offers: readonly Offer[] }) {
  if (offers.length === 0) return null
  return (
    <section>
      <h3>Operations</h3>
      <ul className="caller-list">
        <li className="caller-heads" aria-hidden>
          <span />
          <span>Requests</span>
          <span>Errors</span>
          <span>P95</span>
        </li>
        {busiestFirst(offers).map((offer) => (
          <li key={offer.operation}>
            <span className="ellipsis">
              {offer.operation} <UntimedBadge red={offer.red} />
            </span>
            <span>{formatRate(offer.red.rate)}</span>
            <ErrorRatio red={offer.red} />
            <span className="faint">{offer.red.untimed ? '' : formatLatency(offer.red.p95)}</span>
            {offer.red.errors > 0 && <Statuses row={offer} />}
          </li>
        ))}
      </ul>
    </section>
  )
}
