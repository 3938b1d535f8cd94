// Edges as SVG paths.

import type { Point } from './layout'

/** A smooth line that leaves and arrives horizontally and passes each bend horizontally: it never overshoots a column. */
export function bumpPath(points: readonly Point[]): string {
  const first = points[0]
  if (!first) return ''
  let path = `M${round(first.x)},${round(first.y)}`
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1] as Point
    const to = points[i] as Point
    const middle = round((from.x + to.x) / 2)
    path += `C${middle},${round(from.y)} ${middle},${round(to.y)} ${round(to.x)},${round(to.y)}`
  }
  return path
}

/** The height at x of the piece of a bumpPath between two points: its mirror-symmetric cubic is solved for x by bisection. */
export function bumpY(from: Point, to: Point, x: number): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2
    // Both control points stand at the middle: x(t) = from + (to − from)·(1.5t − 1.5t² + t³)
    const ratio = 1.5 * t - 1.5 * t * t + t ** 3
    if (ratio < (x - from.x) / (to.x - from.x)) low = t
    else high = t
  }
  return from.y + (to.y - from.y) * (3 * low * low - 2 * low ** 3)
}

/** A loop on the top edge of a node whose top left corner is at (x, y). */
export function loopPath(x: number, y: number, nodeWidth: number): string {
  const right = x + nodeWidth * 0.82
  const left = x + nodeWidth * 0.58
  return `M${round(right)},${round(y)}C${round(right + 14)},${round(y - 27)} ${round(left - 14)},${round(y - 27)} ${round(left)},${round(y)}`
}

/** 1.25 to 6 pixels, by the logarithm of the rate: ten times the traffic is one step wider. */
export function edgeWidth(perSecond: number): number {
  return Math.min(6, Math.max(1.25, 1.5 + Math.log10(Math.max(perSecond, 0.1)) * 1.1))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
