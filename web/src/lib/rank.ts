// Filtering and sorting of table rows. Pure; the server's own ranking is the order when no column is chosen.

import type { Sort } from './url'

export type SortValue = number | string | undefined

/** Stable; rows without a value come last in either direction. */
export function sortRows<T>(rows: readonly T[], sort: Sort | undefined, value: (row: T, column: string) => SortValue): T[] {
  if (!sort) return [...rows]
  const sign = sort.direction === 'asc' ? 1 : -1
  return rows
    .map((row) => ({ row, key: value(row, sort.column) }))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined) return Number(a.key === undefined) - Number(b.key === undefined)
      return sign * compare(a.key, b.key)
    })
    .map(({ row }) => row)
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

/** Every word of the search occurs in one of the texts, whatever the case. */
export function matches(search: string, ...texts: (string | undefined)[]): boolean {
  const haystack = texts.join(' ').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word))
}

/** First click: the direction that shows most; second: the other; third: back to the given order. */
export function nextSort(current: Sort | undefined, column: string, isText: boolean): Sort | undefined {
  const first = isText ? 'asc' : 'desc'
  if (current?.column !== column) return { column, direction: first }
  return current.direction === first ? { column, direction: first === 'asc' ? 'desc' : 'asc' } : undefined
}
