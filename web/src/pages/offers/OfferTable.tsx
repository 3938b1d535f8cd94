import { useMemo } from 'react'
import type { InterfacesReply, Offer } from '../../api/interfaces'
import { DataTable } from '../../components/DataTable'
import { Statuses } from '../../components/Interface'
import { navigate } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { formatExact, plural } from '../../lib/format'
import { countNames, idOf, totals } from '../../lib/offers'
import { matches, sortRows } from '../../lib/rank'
import type { OffersView } from '../../lib/url'
import { columnsOf, sortValue } from './columns'
import type { Lens } from './lenses'
import { OfferPanel } from './OfferPanel'

export interface OfferTableProps {
  view: OffersView
  lens: Lens
  /** Of the chosen service, or all. */
  offers: readonly Offer[]
  reply: InterfacesReply
}

export function OfferTable({ view, lens, offers }: OfferTableProps) {
  const rows = useMemo(() => {
    const found = offers.filter((o) => matches(view.search, o.operation, o.target, o.service, o.protocol, ...Object.keys(o.statuses), ...o.callers.map((c) => c.name)))
    return sortRows(found, view.sort ?? DEFAULT_SORT[view.page], sortValue)
  }, [offers, view.search, view.sort, view.page])
  const selected = view.selected === undefined ? undefined : offers.find((o) => idOf(o) === view.selected)
  const isNarrow = selected !== undefined
  const columns = useMemo(
    () => columnsOf(view, lens, { isNarrow, isMixed: new Set(offers.map((o) => o.protocol)).size > 1, counted: countNames(offers), total: offers.reduce((sum, o) => sum + o.time, 0) }),
    [view, lens, isNarrow, offers],
  )
  const all = useMemo(() => totals(rows), [rows])
  const [first] = rows
  return (
    <div className="offers-body" data-open={isNarrow}>
      <Panel
        title={view.of === undefined ? capital(lens.offers) : `${capital(lens.offers)} of ${view.of}`}
        note={formatExact(rows.length)}
        isFlush
        actions={first && all.statuses.length > 0 && <Statuses row={{ statuses: Object.fromEntries(all.statuses.slice(0, 8)), kind: first.kind, red: { errorsByType: all.errors } }} />}
      >
        <DataTable
          label={capital(lens.offers)}
          columns={columns}
          rows={rows}
          rowKey={idOf}
          rowClass={(o) => (idOf(o) === view.selected ? 'row-link row-selected' : 'row-link')}
          rowHeight={view.page === 'databases' ? 52 : 40}
          sort={view.sort ?? DEFAULT_SORT[view.page]}
          onSort={(sort) => navigate({ ...view, sort }, true)}
        />
        {rows.length === 0 && <p className="table-empty">{offers.length === 0 ? `No ${lens.offer} in this time range.` : `None of ${plural(offers.length, lens.offer, lens.offers)} matches “${view.search}”.`}</p>}
      </Panel>
      {selected && <OfferPanel view={view} lens={lens} offer={selected} />}
    </div>
  )
}

/** What costs most comes first for databases, what is asked most for the others. */
const DEFAULT_SORT = {
  databases: { column: 'time', direction: 'desc' },
  queues: { column: 'rate', direction: 'desc' },
  dns: { column: 'rate', direction: 'desc' },
  rpc: { column: 'rate', direction: 'desc' },
} as const

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
