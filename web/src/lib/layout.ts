// Left-to-right layered layout with dagre. Deterministic: the same shape gives the same picture.

import { Graph, layout as dagreLayout } from '@dagrejs/dagre'
import { edgeId, type GraphEdge } from './graph'

export interface LayoutInput {
  nodes: readonly { id: string; entry: boolean }[]
  edges: readonly GraphEdge[]
  nodeWidth: number
  nodeHeight: number
}

export interface Point {
  x: number
  y: number
}

export interface Layout {
  /** Top left corners. */
  positions: Record<string, Point>
  /** By edge id: the points a line passes between its two ends, in its direction. Self-edges have none. */
  bends: Record<string, Point[]>
  width: number
  height: number
}

/** A node that is not drawn: it calls every entry, which pulls all entries into the leftmost column. */
const ROOT = '\u0000root'
/** Much heavier than an edge of the map, so that dagre shortens those to the root first. */
const ROOT_WEIGHT = 50

export function layoutGraph(input: LayoutInput): Layout {
  const { nodeWidth, nodeHeight } = input
  const { connected, alone } = split(input)
  if (connected.length === 0) return withAlone({ positions: {}, bends: {}, width: nodeWidth * 6, height: 0 }, alone, input)
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: nodeHeight * 0.55, ranksep: nodeWidth * 0.76, ranker: 'network-simplex' })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of connected) graph.setNode(id, { width: nodeWidth, height: nodeHeight })
  const edges = calls(input).sort((a, b) => (edgeId(a) < edgeId(b) ? -1 : 1))
  for (const edge of edges) graph.setEdge(edge.client, edge.server, { weight: 1 })
  const entries = connected.filter((node) => node.entry)
  if (entries.length > 0) graph.setNode(ROOT, { width: 1, height: 1 })
  for (const { id } of entries) graph.setEdge(ROOT, id, { weight: ROOT_WEIGHT })
  dagreLayout(graph)
  return withAlone(collect(graph, connected, edges, input), alone, input)
}

/** Calls between two different nodes. */
function calls({ edges }: LayoutInput): GraphEdge[] {
  return edges.filter((edge) => edge.client !== edge.server)
}

/** Both sorted by id. A node that only calls itself is alone. */
export function split(input: LayoutInput) {
  const ends = new Set(calls(input).flatMap((edge) => [edge.client, edge.server]))
  const nodes = [...input.nodes].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { connected: nodes.filter(({ id }) => ends.has(id)), alone: nodes.filter(({ id }) => !ends.has(id)) }
}

function collect(graph: Graph, nodes: readonly { id: string }[], edges: readonly GraphEdge[], { nodeWidth, nodeHeight }: LayoutInput): Layout {
  const centres = nodes.map(({ id }) => ({ id, at: graph.node(id) as Point }))
  const left = Math.min(...centres.map(({ at }) => at.x)) - nodeWidth / 2
  const top = Math.min(...centres.map(({ at }) => at.y)) - nodeHeight / 2
  const positions: Record<string, Point> = {}
  for (const { id, at } of centres) positions[id] = { x: at.x - nodeWidth / 2 - left, y: at.y - nodeHeight / 2 - top }
  const columns = [...new Set(Object.values(positions).map((p) => p.x))]
  const bends: Record<string, Point[]> = {}
  for (const edge of edges) {
    const { points } = graph.edge(edge.client, edge.server) as { points: Point[] }
    const moved = points.map(({ x, y }) => ({ x: x - left, y: y - top }))
    const isBackwards = (positions[edge.server]?.x ?? 0) < (positions[edge.client]?.x ?? 0)
    bends[edgeId(edge)] = passages(moved.slice(1, -1), columns, nodeWidth, isBackwards)
  }
  return {
    positions,
    bends,
    width: Math.max(...centres.map(({ at }) => at.x)) + nodeWidth / 2 - left,
    height: Math.max(...centres.map(({ at }) => at.y)) + nodeHeight / 2 - top,
  }
}

/** A line crosses each column of nodes level, from edge to edge, so that it never cuts a card. Between columns it is free. */
function passages(points: readonly Point[], columns: readonly number[], nodeWidth: number, isBackwards: boolean): Point[] {
  return points.flatMap(({ x, y }) => {
    const column = columns.find((left) => Math.abs(left + nodeWidth / 2 - x) < 1)
    if (column === undefined) return []
    const through = [
      { x: column, y },
      { x: column + nodeWidth, y },
    ]
    return isBackwards ? through.reverse() : through
  })
}

/** Nodes that call nobody else and are called by nobody else stand in rows below the graph. */
export function withAlone(layout: Layout, alone: readonly { id: string }[], { nodeWidth, nodeHeight }: LayoutInput): Layout {
  if (alone.length === 0) return layout
  const cell = { width: nodeWidth * 1.2, height: nodeHeight * 1.5 }
  const columns = Math.max(1, Math.floor((layout.width + cell.width - nodeWidth) / cell.width))
  const top = layout.height === 0 ? 0 : layout.height + nodeHeight
  const positions = { ...layout.positions }
  alone.forEach(({ id }, i) => {
    positions[id] = { x: (i % columns) * cell.width, y: top + Math.floor(i / columns) * cell.height }
  })
  return { ...layout, positions, height: top + Math.ceil(alone.length / columns) * cell.height }
}
