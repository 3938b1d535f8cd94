// Where the lines of the map run and where their labels stand, given the places of the nodes.

import { edgeId, groupBy, type GraphEdge } from './graph'
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
/** A stretch shorter than this has no room for a label. */
const LABEL_ROOM = 60
/** The line ends before the card; the tip of its arrow head touches it. */
const TIP = 6

/** By edge id. Edges whose ends have no place in the layout are left out. */
export function edgeShapes(edges: readonly GraphEdge[], layout: Layout, size: Size): Map<string, EdgeShape> {
  const shapes = new Map<string, EdgeShape>()
  for (const edge of edges) {
    const shape = edgeShape(edge, layout, size)
    if (shape) shapes.set(edgeId(edge), shape)
  }
  spreadLabels([...shapes.values()].map((shape) => shape.label))
  return shapes
}

function edgeShape(edge: GraphEdge, layout: Layout, { nodeWidth, nodeHeight }: Size): EdgeShape | undefined {
  const from = layout.positions[edge.client]
  const to = layout.positions[edge.server]
  if (!from || !to) return undefined
  if (edge.client === edge.server) {
    return { path: loopPath(from.x, from.y, nodeWidth), label: { x: from.x + nodeWidth * 0.3, y: from.y - 12 } }
  }
  // A call that runs against the direction of the map leaves on the left and arrives on the right.
  const isBackwards = to.x + nodeWidth <= from.x
  const start = { x: from.x + (isBackwards ? 0 : nodeWidth), y: from.y + nodeHeight / 2 }
  const end = { x: to.x + (isBackwards ? nodeWidth + TIP : -TIP), y: to.y + nodeHeight / 2 }
  const points = [start, ...(layout.bends[edgeId(edge)] ?? []), end]
  return { path: bumpPath(points), label: labelPoint(points) }
}

/** In the middle of the last free stretch before the server: calls fan out from a client, so there the labels stand apart. */
function labelPoint(points: readonly Point[]): Point {
  for (let i = points.length - 1; i > 0; i--) {
    const from = points[i - 1] as Point
    const to = points[i] as Point
    const x = (from.x + to.x) / 2
    if (Math.abs(to.x - from.x) >= LABEL_ROOM || i === 1) return { x, y: bumpY(from, to, x) }
  }
  return points[0] ?? { x: 0, y: 0 }
}

/** Moves labels of one gap apart, downwards, keeping their order. */
function spreadLabels(labels: Point[]): void {
  const gaps = groupBy(labels, (label) => Math.round(label.x))
  for (const gap of gaps.values()) {
    gap.sort((a, b) => a.y - b.y)
    for (let i = 1; i < gap.length; i++) {
      const above = gap[i - 1] as Point
      const label = gap[i] as Point
      label.y = Math.max(label.y, above.y + LABEL_PITCH)
    }
  }
}
