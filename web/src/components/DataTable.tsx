import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { nextSort, type SortValue } from '../lib/rank'
import type { Sort } from '../lib/url'

export interface Column<T> {
  id: string
  title: string
  /** Tool tip of the heading: what the figure is. */
  hint?: string
  /** CSS width; columns without one share the rest. */
  width?: string
  isNumber?: boolean
  /** Columns without it cannot be sorted by. */
  value?: (row: T) => SortValue
  cell: (row: T) => ReactNode
}

export interface DataTableProps<T> {
  label: string
  columns: readonly Column<T>[]
  /** In the order to be shown. */
  rows: readonly T[]
  rowKey: (row: T) => string
  rowClass?: (row: T) => string
  rowHeight: number
  sort?: Sort | undefined
  onSort?: (sort: Sort | undefined) => void
}

/** Shorter tables are drawn whole: the browser's own search finds everything in them. */
const VIRTUAL_FROM = 100

/** Fixed columns and fixed row heights: new figures never move anything. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rows, rowKey, rowClass, rowHeight } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => {
    const top = body.current?.getBoundingClientRect().top
    if (top !== undefined) setOffset(top + window.scrollY)
  }, [rows.length])
  const isVirtual = rows.length >= VIRTUAL_FROM
  const virtualizer = useWindowVirtualizer({ count: rows.length, estimateSize: () => rowHeight, overscan: 12, scrollMargin: offset, enabled: isVirtual })
  const items = virtualizer.getVirtualItems()
  const first = isVirtual ? (items[0]?.index ?? 0) : 0
  const last = isVirtual ? (items.at(-1)?.index ?? -1) + 1 : rows.length
  return (
    <table className="table" aria-label={label} aria-rowcount={rows.length}>
      <colgroup>
        {columns.map((column) => (
          <col key={column.id} style={column.width ? { width: column.width } : undefined} />
        ))}
      </colgroup>
      <TableHead {...props} />
      <tbody ref={body}>
        {first > 0 && <tr style={{ height: first * rowHeight }} aria-hidden />}
        {rows.slice(first, last).map((row) => (
          <tr key={rowKey(row)} className={rowClass?.(row)} style={{ height: rowHeight }}>
            {columns.map((column) => (
              <td key={column.id} className={column.isNumber ? 'number' : undefined}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
        {last < rows.length && <tr style={{ height: (rows.length - last) * rowHeight }} aria-hidden />}
      </tbody>
    </table>
  )
}

function TableHead<T>({ columns, sort, onSort }: DataTableProps<T>) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const direction = sort?.column === column.id ? sort.direction : undefined
          const ariaSort = direction === 'asc' ? 'ascending' : direction === 'desc' ? 'descending' : 'none'
          const canSort = column.value !== undefined && onSort !== undefined
          return (
            <th key={column.id} scope="col" className={column.isNumber ? 'number' : undefined} title={column.hint} {...(canSort ? { 'aria-sort': ariaSort } : {})}>
              {canSort ? (
                <button type="button" onClick={() => onSort(nextSort(sort, column.id, !column.isNumber))}>
                  {column.title}
                  <span className="sort-sign" aria-hidden>
                    {direction === 'asc' ? '↑' : direction === 'desc' ? '↓' : ''}
                  </span>
                </button>
              ) : (
                column.title
              )}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}
