import type { Interface } from '../api/service'
import type { RED } from '../api/types'
import { formatCount, formatExact, formatRatio, NONE } from '../lib/format'
import { countName, shortCountNames } from '../lib/protocol'
import { sortStatuses, statusTone } from '../lib/series'
import type { Column } from './DataTable'

/** Where nothing was judged a failing interface still has to be found with the eye. */
export function ErrorRatio({ red }: { red: Pick<RED, 'errors' | 'errorRatio'> }) {
  const tone = red.errorRatio >= 0.05 ? 'cell-hot' : red.errorRatio >= 0.01 ? 'cell-warm' : red.errors === 0 ? 'cell-zero' : ''
  return <span className={tone}>{formatRatio(red.errorRatio)}</span>
}

const TONES = { ok: '', rejected: 'text-warning', failed: 'text-critical' }

/** HTTP's by number; others have no order of their own: what failed first, since there may be no room for all, then by number of responses. */
function orderStatuses({ statuses, kind, red }: StatusesRow): string[] {
  if (kind === 'http') return sortStatuses(Object.keys(statuses))
  const weight = (status: string) => (statuses[status] ?? 0) + (statusTone(status, red.errorsByType, false) === 'failed' ? 1e15 : 0)
  return Object.keys(statuses).sort((a, b) => weight(b) - weight(a))
}

type StatusesRow = Pick<Interface, 'statuses' | 'kind'> & { red: Pick<RED, 'errorsByType'> }

/** Statuses with their numbers; responses without one are left out. */
export function Statuses({ row }: { row: StatusesRow }) {
  const { statuses } = row
  const shown = orderStatuses(row).filter((status) => (statuses[status] ?? 0) > 0)
  const title = shown.map((status) => `${status}: ${formatExact(statuses[status] ?? 0)}`).join('\n')
  return (
    <span className="statuses" title={title}>
      {shown.map((status) => (
        <span key={status} className={TONES[statusTone(status, row.red.errorsByType, row.kind === 'http')]}>
          {status} <span className="faint">{formatCount(statuses[status])}</span>
        </span>
      ))}
    </span>
  )
}

export function UntimedBadge({ red }: { red: RED }) {
  if (!red.untimed) return null
  return (
    <span className="badge" title={`${formatExact(red.untimed)} of ${formatExact(red.requests)} have no service time: they wait on purpose (a long poll, a blocking pop), or get no response (a publish that nobody confirms).`}>
      not timed
    </span>
  )
}

/** One column for each thing that is counted besides: how many for each request, the total in the tool tip. */
export function countColumns<T extends Pick<Interface, 'counts' | 'red'>>(names: readonly string[]): Column<T>[] {
  const titles = shortCountNames(names)
  return names.map((name, i) => ({
    id: columnOf(name),
    title: titles[i] ?? name,
    hint: `${countName(name)} for each request`,
    width: '78px',
    isNumber: true,
    value: (row) => perRequest(row, name),
    cell: (row) => {
      const each = perRequest(row, name)
      return <span title={each === undefined ? undefined : `${countName(name)}: ${formatExact(row.counts[name] ?? 0)}`}>{each === undefined ? NONE : formatCount(Math.round(each * 100) / 100)}</span>
    },
  }))
}

/** The figure that such a column is sorted by; undefined for other columns. */
export function countOf(row: Pick<Interface, 'counts' | 'red'>, column: string): number | undefined {
  const name = Object.keys(row.counts).find((n) => columnOf(n) === column)
  return name === undefined ? undefined : perRequest(row, name)
}

/** Only letters and digits: it becomes part of the address. */
function columnOf(name: string): string {
  return `count${name.replaceAll('_', '')}`
}

function perRequest({ counts, red }: Pick<Interface, 'counts' | 'red'>, name: string): number | undefined {
  const total = counts[name]
  return total === undefined || red.requests === 0 ? undefined : total / red.requests
}
