// Where the lines of the map run and where their labels stand, given the places of the nodes.

import { edgeId, type GraphEdge } from './graph'
import type { Layout, Point } from './layout'
import { bumpPath, bumpY, loopPath } from './path'

export interface EdgeShape {
  path: string
  label: Point
}

interface Size {
  nodeWidth: number
  nodeHeight: number
}

/** Labels closer than this would cover each other: 16 px high, 1 px between. */
const LABEL_PITCH = 17

/** By edge id. Edges whose ends have no place in the layout are left out. */
export function edgeShapes(edges: readonly GraphEdge[], layout: Layout, size: Size): Map<string, EdgeShape> {
  const columns = [...new Set(Object.values(layout.positions).map((p) => p.x))]
  const shapes = new Map<string, EdgeShape>()
  for (const edge of edges) {
    const shape = edgeShape(edge, layout, columns, size)
    if (shape) shapes.set(edgeId(edge), shape)
  }
  spreadLabels([...shapes.values()].map((shape) => shape.label))
  return shapes
}

function edgeShape(edge: GraphEdge, layout: Layout, columns: readonly number[], { nodeWidth, nodeHeight }: Size): EdgeShape | undefined {
  const from = layout.positions[edge.client]
  const to = layout.positions[edge.server]
  if (!from || !to) return undefined
  if (edge.client === edge.server) {
    return { path: loopPath(from.x, from.y, nodeWidth), label: { x: from.x + nodeWidth * 0.7, y: from.y - 20 } }
  }
  // A call that runs against the direction of the map leaves on the left and arrives on the right.
  const isBackwards = to.x + nodeWidth <= from.x
  const start = { x: from.x + (isBackwards ? 0 : nodeWidth), y: from.y + nodeHeight / 2 }
  const end = { x: to.x + (isBackwards ? nodeWidth : 0), y: to.y + nodeHeight / 2 }
  const points = [start, ...passages(layout.bends[edgeId(edge)] ?? [], columns, nodeWidth, isBackwards), end]
  const before = points.at(-2) ?? start
  const labelX = (before.x + end.x) / 2
  return { path: bumpPath(points), label: { x: labelX, y: bumpY(before, end, labelX) } }
}

/** A line crosses each column of nodes level, from its left to its right edge, so that it never cuts a card. */
function passages(bends: readonly Point[], columns: readonly number[], nodeWidth: number, isBackwards: boolean): Point[] {
  return bends.flatMap(({ x, y }) => {
    const column = columns.find((left) => Math.abs(left + nodeWidth / 2 - x) < 1)
    if (column === undefined) return []
    const through = [
      { x: column, y },
      { x: column + nodeWidth, y },
    ]
    return isBackwards ? through.reverse() : through
  })
}

/** Moves labels of one gap apart, downwards, keeping their order. */
function spreadLabels(labels: Point[]): void {
  const gaps = Map.groupBy(labels, (label) => Math.round(label.x))
  for (const gap of gaps.values()) {
    gap.sort((a, b) => a.y - b.y)
    for (let i = 1; i < gap.length; i++) {
      const above = gap[i - 1] as Point
      const label = gap[i] as Point
      label.y = Math.max(label.y, above.y + LABEL_PITCH)
    }
  }
}
