// Left-to-right layered layout with dagre. Deterministic: the same shape gives the same picture.

import { Graph, layout } from '@dagrejs/dagre'
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
  /** Bends between the two ends of an edge, in its direction; self-edges have none. */
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
  const connected = new Set<string>()
  for (const edge of input.edges) {
    if (edge.client === edge.server) continue
    connected.add(edge.client)
    connected.add(edge.server)
  }
  const nodes = [...input.nodes].sort((a, b) => a.id.localeCompare(b.id))
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: nodeHeight * 0.55, ranksep: nodeWidth * 0.62, ranker: 'network-simplex' })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id } of nodes) {
    if (connected.has(id)) graph.setNode(id, { width: nodeWidth, height: nodeHeight })
  }
  const edges = input.edges.filter((edge) => edge.client !== edge.server).sort((a, b) => edgeId(a).localeCompare(edgeId(b)))
  for (const edge of edges) graph.setEdge(edge.client, edge.server, { weight: 1 }, edge.protocol)
  const entries = nodes.filter(({ id, entry }) => entry && connected.has(id))
  if (entries.length > 0) graph.setNode(ROOT, { width: 1, height: 1 })
  for (const { id } of entries) graph.setEdge(ROOT, id, { weight: ROOT_WEIGHT }, 'root')
  if (connected.size > 0) layout(graph)
  return collect(graph, nodes, edges, input, connected)
}

function collect(
  graph: Graph,
  nodes: readonly { id: string }[],
  edges: readonly GraphEdge[],
  { nodeWidth, nodeHeight }: LayoutInput,
  connected: ReadonlySet<string>,
): Layout {
  const positions: Record<string, Point> = {}
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const { id } of nodes) {
    if (!connected.has(id)) continue
    const { x, y } = graph.node(id) as Point
    positions[id] = { x: x - nodeWidth / 2, y: y - nodeHeight / 2 }
    left = Math.min(left, x - nodeWidth / 2)
    right = Math.max(right, x + nodeWidth / 2)
    top = Math.min(top, y - nodeHeight / 2)
    bottom = Math.max(bottom, y + nodeHeight / 2)
  }
  if (connected.size === 0) [left, right, top, bottom] = [0, nodeWidth * 5, 0, 0]
  const bends: Record<string, Point[]> = {}
  for (const edge of edges) {
    const { points } = graph.edge(edge.client, edge.server, edge.protocol) as { points: Point[] }
    bends[edgeId(edge)] = points.slice(1, -1)
  }
  const alone = nodes.filter(({ id }) => !connected.has(id))
  bottom = placeAlone(alone, positions, { left, right, top: connected.size === 0 ? 0 : bottom + nodeHeight }, nodeWidth, nodeHeight, bottom)
  return { positions, bends, width: right - left, height: bottom - top }
}

/** Nodes that call nobody and are called by nobody stand in rows below the graph. */
function placeAlone(
  alone: readonly { id: string }[],
  positions: Record<string, Point>,
  area: { left: number; right: number; top: number },
  nodeWidth: number,
  nodeHeight: number,
  bottom: number,
): number {
  const stepX = nodeWidth * 1.2
  const stepY = nodeHeight * 1.4
  const columns = Math.max(1, Math.floor((area.right - area.left) / stepX))
  alone.forEach(({ id }, i) => {
    positions[id] = { x: area.left + (i % columns) * stepX, y: area.top + Math.floor(i / columns) * stepY }
  })
  return alone.length === 0 ? bottom : area.top + Math.ceil(alone.length / columns) * stepY
}
