import 'uplot/dist/uPlot.min.css'
import './chart.css'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import { latest, stack } from '../../lib/series'
import { clock } from '../../lib/time'
import { chartOptions, type ChartHandlers } from './options'

export interface ChartSeries {
  label: string
  /** Name of a colour token, "--chart-2xx". */
  color: string
  values: readonly (number | null)[]
}

export interface ChartProps {
  title: string
  note?: string
  /** Unix seconds, ascending, aligned with the values of each series. */
  time: readonly number[]
  start: number
  end: number
  series: readonly ChartSeries[]
  format: (value: number | null | undefined) => string
  /** Lines, areas on top of each other, or one area. */
  kind: 'lines' | 'stacked' | 'area'
  /** A dashed line at this value, if the scale reaches it. */
  threshold?: number
  /** Called with Unix seconds when the user drags over a part of the chart. */
  onSelect: (start: number, end: number) => void
}

const HEIGHT = 148

/** A time chart whose legend shows the values under the cursor; the cursors of all charts move together. */
export function Chart(props: ChartProps) {
  const { title, note, time, start, end, series, format, kind, threshold } = props
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const place = useRef<HTMLDivElement>(null)
  const legend = useRef<HTMLDListElement>(null)
  const stamp = useRef<HTMLSpanElement>(null)
  const plot = useRef<uPlot>(null)
  const data = useMemo(() => {
    const drawn = kind === 'stacked' ? stack(series.map((s) => s.values)).reverse() : series.map((s) => [...s.values])
    return [[...time], ...drawn] as uPlot.AlignedData
  }, [time, series, kind])
  // The plot lives longer than one set of figures: its callbacks look here for the newest.
  const handlers = useRef<ChartHandlers>(null)
  useLayoutEffect(() => {
    handlers.current = {
      range: [start, end],
      select: props.onSelect,
      cursor: (i) => showCursor(legend.current, stamp.current, series, time, i, format),
    }
  })
  const shape = series.map((s) => `${s.label}${s.color}`).join()
  useEffect(() => {
    if (!place.current) return
    const options = chartOptions({ width: place.current.clientWidth, height: HEIGHT, colors: series.map((s) => s.color), kind, threshold, format }, handlers)
    const made = new uPlot(options, data, place.current)
    plot.current = made
    const observer = new ResizeObserver(([entry]) => entry && made.setSize({ width: entry.contentRect.width, height: HEIGHT }))
    observer.observe(place.current)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
    // New figures go into the same plot, below; only another set of series or colours needs a new one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, scheme, kind, threshold])
  useEffect(() => {
    plot.current?.setData(data)
    const cursor = plot.current?.cursor.idx
    handlers.current?.cursor(cursor ?? null)
  }, [data, start, end])
  return (
    <figure className="chart" aria-label={`${title} over time`}>
      <figcaption>
        <h3>{title}</h3>
        {note && <span className="panel-note">{note}</span>}
        <span className="chart-stamp" ref={stamp} />
      </figcaption>
      <dl className="chart-legend" ref={legend}>
        {series.map((s) => (
          <div key={s.label}>
            <dt>
              <i style={{ background: `var(${s.color})` }} />
              {s.label}
            </dt>
            <dd>{format(latest(s.values))}</dd>
          </div>
        ))}
      </dl>
      <div ref={place} className="chart-place" style={{ height: HEIGHT }} />
    </figure>
  )
}

/** Writes into the legend directly: a mouse moves too often for rendering. */
function showCursor(
  legend: HTMLElement | null,
  stamp: HTMLElement | null,
  series: readonly ChartSeries[],
  time: readonly number[],
  i: number | null,
  format: (value: number | null | undefined) => string,
): void {
  const cells = legend?.querySelectorAll('dd') ?? []
  cells.forEach((cell, k) => {
    const values = series[k]?.values ?? []
    cell.textContent = format(i === null ? latest(values) : values[i])
  })
  const t = i === null ? undefined : time[i]
  if (stamp) stamp.textContent = t === undefined ? '' : clock(t)
}
