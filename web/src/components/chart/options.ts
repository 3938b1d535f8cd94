import type { RefObject } from 'react'
import uPlot from 'uplot'
import { alone } from '../../lib/spark'

/** What the plot asks for while it lives: always the newest. */
export interface ChartHandlers {
  range: [number, number]
  select: (start: number, end: number) => void
  cursor: (index: number | null) => void
}

export interface ChartLook {
  width: number
  height: number
  /** Colour tokens in the order of the series. */
  colors: readonly string[]
  kind: 'lines' | 'stacked' | 'area'
  threshold: number | undefined
  format: (value: number | null | undefined) => string
}

/** One key for all charts of the page: there is one time axis. */
const SYNC_KEY = 'sonde'
/** A drag shorter than this is a click with an unsteady hand. */
const MIN_DRAG_PX = 6
/** Appended to a colour token #rrggbb: 16 % opaque. */
const AREA_ALPHA = '29'

export function chartOptions(look: ChartLook, handlers: RefObject<ChartHandlers | null>): uPlot.Options {
  const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const colors = look.colors.map(token)
  const axis = { stroke: token('--text-3'), font: "11px 'Inter Variable', sans-serif", ticks: { show: false }, grid: { stroke: token('--chart-grid'), width: 1 } }
  return {
    width: look.width,
    height: look.height,
    padding: [6, 2, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => handlers.current?.range ?? [0, 1] },
      // Always from zero: a curve that fills its scale would make a trifle look like an outage.
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      { ...axis, size: 24, gap: 4, space: 70, values: (_, splits, __, ___, step) => splits.map((t) => tickLabel(t, step)) },
      { ...axis, size: 58, gap: 6, space: 34, values: (_, splits) => splits.map((v) => look.format(v)) },
    ],
    cursor: {
      points: { size: 6, width: 1.5, fill: token('--surface') },
      drag: { x: true, y: false, setScale: false },
      sync: { key: SYNC_KEY, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
    },
    series: [{}, ...drawnSeries(colors, look.kind)],
    hooks: {
      setCursor: [(u) => handlers.current?.cursor(u.cursor.idx ?? null)],
      setSelect: [(u) => takeSelection(u, handlers)],
      draw: [(u) => drawThreshold(u, look.threshold, token('--text-3'))],
    },
  }
}

/** A stack is drawn from its top, so that each area covers the lower part of the one before. */
function drawnSeries(colors: readonly string[], kind: ChartLook['kind']): uPlot.Series[] {
  const inOrder = kind === 'stacked' ? [...colors].reverse() : colors
  const fill = (color: string) => (kind === 'stacked' ? color : `${color}${AREA_ALPHA}`)
  return inOrder.map((color) => ({
    stroke: color,
    width: kind === 'stacked' ? 1 : 1.5,
    // A line needs two points: of a value without neighbours nothing would be seen.
    points: { show: true, size: 4, width: 0, fill: color, filter: (u, i) => alone(u.data[i] ?? []) },
    ...(kind === 'lines' ? {} : { fill: fill(color) }),
  }))
}

/** HH:MM, with seconds or the date as far as the distance of the ticks asks for them. */
function tickLabel(seconds: number, step: number): string {
  const time = new Date(seconds * 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  if (step >= 86400) return time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  const minute = `${two(time.getHours())}:${two(time.getMinutes())}`
  return step < 60 ? `${minute}:${two(time.getSeconds())}` : minute
}

function takeSelection(u: uPlot, handlers: RefObject<ChartHandlers | null>): void {
  const { left, width } = u.select
  if (width === 0) return
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  if (width >= MIN_DRAG_PX) handlers.current?.select(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'))
}

function drawThreshold(u: uPlot, threshold: number | undefined, color: string): void {
  const max = u.scales.y?.max ?? 0
  if (threshold === undefined || threshold > max) return
  const y = Math.round(u.valToPos(threshold, 'y', true))
  u.ctx.save()
  u.ctx.strokeStyle = color
  u.ctx.setLineDash([4, 4])
  u.ctx.beginPath()
  u.ctx.moveTo(u.bbox.left, y)
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y)
  u.ctx.stroke()
  u.ctx.restore()
}
