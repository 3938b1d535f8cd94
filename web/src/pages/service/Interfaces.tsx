import { useMemo } from 'react'
import type { Interface, ServiceReply } from '../../api/service'
import { DataTable, type Column } from '../../components/DataTable'
import { countColumns, countOf, ErrorRatio, Statuses, UntimedBadge } from '../../components/Interface'
import { Link, navigate } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { SearchField } from '../../components/SearchField'
import { formatBytes, formatCount, formatExact, formatLatency, formatRate, NONE } from '../../lib/format'
import { countNames } from '../../lib/offers'
import { protocolName } from '../../lib/protocol'
import { matches, sortRows, type SortValue } from '../../lib/rank'
import { serviceFrom, type ServiceView } from '../../lib/url'

export function Interfaces({ view, reply }: { view: ServiceView; reply: ServiceReply }) {
  const isClient = reply.side === 'client'
  const all = isClient ? reply.calls : reply.interfaces
  const rows = useMemo(() => {
    const found = all.filter((row) => matches(view.search, row.operation, row.target, row.peer, ...Object.keys(row.statuses)))
    return sortRows(found, view.sort, sortValue)
  }, [all, view.search, view.sort])
  const counted = useMemo(() => countNames(all), [all])
  const columns = useMemo(() => interfaceColumns(view, isClient, counted), [view, isClient, counted])
  return (
    <Panel
      title={isClient ? 'Interfaces called' : 'Interfaces'}
      note={formatExact(all.length)}
      isFlush
      actions={<SearchField value={view.search} placeholder="Filter interfaces" onChange={(search) => navigate({ ...view, search }, true)} />}
    >
      <DataTable
        label="Interfaces"
        columns={columns}
        rows={rows}
        rowKey={(row) => `${row.protocol} ${row.operation} ${row.target} ${row.peer ?? ''}`}
        rowHeight={36}
        sort={view.sort}
        onSort={(sort) => navigate({ ...view, sort }, true)}
      />
      {rows.length === 0 && <p className="table-empty">{all.length === 0 ? 'None in this time range.' : `None matches “${view.search}”.`}</p>}
    </Panel>
  )
}

function sortValue(row: Interface, column: string): SortValue {
  switch (column) {
    case 'interface':
      return `${row.target} ${row.operation}`
    case 'peer':
      return row.peer
    case 'rate':
      return row.red.rate
    case 'errors':
      return row.red.errorRatio
    case 'p50':
      return row.red.p50
    case 'p90':
      return row.red.p90
    case 'p95':
      return row.red.p95
    case 'p99':
      return row.red.p99
    case 'slow':
      return row.red.slow
    case 'in':
      return row.red.requestBytes
    case 'out':
      return row.red.responseBytes
    default:
      return countOf(row, column)
  }
}

function interfaceColumns(view: ServiceView, isClient: boolean, counted: readonly string[]): Column<Interface>[] {
  const figure = (id: string, title: string, width: string, text: (row: Interface) => string): Column<Interface> => ({
    id,
    title,
    width,
    isNumber: true,
    value: (row) => sortValue(row, id),
    cell: (row) => text(row),
  })
  const peer: Column<Interface> = {
    id: 'peer',
    title: 'Of service',
    width: '9%',
    value: (row) => row.peer,
    cell: (row) => row.peer && <Link to={serviceFrom(view, row.peer)}>{row.peer}</Link>,
  }
  return [
    { id: 'interface', title: 'Interface', value: (row) => sortValue(row, 'interface'), cell: (row) => <Name row={row} /> },
    ...(isClient ? [peer] : []),
    { id: 'status', title: 'Statuses', width: isClient || counted.length > 0 ? '12%' : '17%', cell: (row) => <Statuses row={row} /> },
    figure('rate', 'Requests', '88px', (row) => formatRate(row.red.rate)),
    { ...figure('errors', 'Errors', '74px', () => ''), cell: (row) => <ErrorRatio red={row.red} /> },
    figure('p50', 'P50', '74px', (row) => formatLatency(row.red.p50)),
    figure('p90', 'P90', '74px', (row) => formatLatency(row.red.p90)),
    figure('p95', 'P95', '74px', (row) => formatLatency(row.red.p95)),
    figure('p99', 'P99', '74px', (row) => formatLatency(row.red.p99)),
    figure('slow', 'Slow', '56px', (row) => formatCount(row.red.slow)),
    ...countColumns(counted),
    figure('in', 'In', '76px', (row) => bodySize(row, row.red.requestBytes)),
    figure('out', 'Out', '82px', (row) => bodySize(row, row.red.responseBytes)),
  ]
}

// Sizes are told apart by interface for HTTP only, as OpenTelemetry names them; of all else the service's own figures know them.
function bodySize(row: Interface, bytes: number): string {
  return row.kind === 'http' ? formatBytes(bytes) : NONE
}

function Name({ row }: { row: Interface }) {
  // A statement begins with its operation: said once is enough.
  const isTold = row.target.toUpperCase().startsWith(row.operation.toUpperCase())
  return (
    <span className="interface-name" title={`${protocolName(row.protocol)}: ${row.operation} ${row.target}`}>
      {!isTold && <span className="method">{row.operation}</span>}
      <code className="ellipsis">{row.target}</code>
      <UntimedBadge red={row.red} />
    </span>
  )
}

