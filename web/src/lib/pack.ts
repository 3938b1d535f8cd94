// A second form of the layered layout for many nodes: each layer becomes a block of several columns, so that the whole
// fits a screen at a size that can be read. The order within a layer stays that of the layered layout.
//
//    layer 0   layer 1             Lines run level through the gaps between rows, above the node they come from or go
//    [a]       [c] [d]             to, and never behind a card: a stub that comes out from behind a card would look like
//    [b]  ──── [e] [f]             that card's own call.
//         └───────┘
import { edgeId, groupBy, type GraphEdge } from './graph'
import { split, withAlone, type Layout, type LayoutInput, type Point } from './layout'

/** The screen the packing aims at; only the ratio and the order of magnitude matter. */
const SCREEN = { width: 1360, height: 780 }
/** Below this zoom a layered layout shows no figures (ServiceMap.tsx), and packing may. */
const READABLE_ZOOM = 0.65

interface Block {
  ids: string[]
  left: number
  right: number
  top: number
  columns: number
}

interface Grid {
  blocks: Block[]
  /** From one card to the next: what a card and the gap beside or below it take. */
  cell: { width: number; height: number }
  nodeWidth: number
  nodeHeight: number
}

/** How large a layout may be drawn so that all of it is on the screen. */
export function fitZoom({ width, height }: Pick<Layout, 'width' | 'height'>): number {
  return Math.min(SCREEN.width / Math.max(width, 1), SCREEN.height / Math.max(height, 1))
}

/** The layout itself while it is readable as a whole, otherwise its packed form. */
export function packIfTooLarge(layout: Layout, input: LayoutInput): Layout {
  if (fitZoom(layout) >= READABLE_ZOOM) return layout
  const packed = pack(layout, input)
  return fitZoom(packed) > fitZoom(layout) ? packed : layout
}

export function pack(layout: Layout, input: LayoutInput): Layout {
  const { nodeWidth, nodeHeight } = input
  const { connected, alone } = split(input)
  const layers = layersOf(layout, connected.map(({ id }) => id))
  const cell = { width: nodeWidth * 1.12, height: nodeHeight * 1.4 }
  const layerGap = nodeWidth * 0.68
  const size = (rows: number) => ({
    width: layers.reduce((sum, layer) => sum + Math.ceil(layer.length / rows) * cell.width + layerGap, -layerGap),
    height: rows * cell.height,
  })
  let rows = 1
  for (let r = 2; r <= Math.max(1, ...layers.map((l) => l.length)); r++) if (fitZoom(size(r)) > fitZoom(size(rows))) rows = r
  const blocks: Block[] = []
  let left = 0
  for (const ids of layers) {
    const columns = Math.ceil(ids.length / rows)
    const top = ((rows - Math.ceil(ids.length / columns)) * cell.height) / 2
    const right = left + columns * cell.width - (cell.width - nodeWidth)
    blocks.push({ ids, left, right, top, columns })
    left = right + layerGap
  }
  return withAlone(drawGrid({ blocks, cell, nodeWidth, nodeHeight }, input.edges, size(rows)), alone, input)
}

/** Ids by layer from left to right, each from top to bottom. */
function layersOf({ positions }: Layout, ids: readonly string[]): string[][] {
  const layers = groupBy(ids, (id) => Math.round(positions[id]?.x ?? 0))
  const y = (id: string) => positions[id]?.y ?? 0
  return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer.sort((a, b) => y(a) - y(b)))
}

function drawGrid(grid: Grid, edges: readonly GraphEdge[], size: { width: number; height: number }): Layout {
  const positions: Record<string, Point> = {}
  const blockOf = new Map<string, number>()
  grid.blocks.forEach((block, b) => {
    block.ids.forEach((id, i) => {
      positions[id] = { x: block.left + (i % block.columns) * grid.cell.width, y: block.top + Math.floor(i / block.columns) * grid.cell.height }
      blockOf.set(id, b)
    })
  })
  const bends: Record<string, Point[]> = {}
  for (const edge of edges) {
    const from = positions[edge.client]
    const to = positions[edge.server]
    if (edge.client === edge.server || !from || !to) continue
    bends[edgeId(edge)] = route(grid, from, blockOf.get(edge.client) ?? 0, to, blockOf.get(edge.server) ?? 0)
  }
  return { positions, bends, ...size }
}

function route(grid: Grid, from: Point, fromBlock: number, to: Point, toBlock: number): Point[] {
  // Against the direction of the map it is the same way, walked from the other end.
  if (toBlock < fromBlock) return route(grid, to, toBlock, from, fromBlock).reverse()
  const gapX = grid.cell.width - grid.nodeWidth
  const gapAbove = (point: Point) => point.y - (grid.cell.height - grid.nodeHeight) / 2
  const source = grid.blocks[fromBlock] as Block
  const target = grid.blocks[toBlock] as Block
  const points: Point[] = []
  const fromRight = from.x + grid.nodeWidth
  if (fromRight + 1 < source.right) points.push({ x: fromRight + gapX, y: gapAbove(from) }, { x: source.right, y: gapAbove(from) })
  for (let b = fromBlock + 1; b < toBlock; b++) {
    const block = grid.blocks[b] as Block
    const share = (b - fromBlock) / (toBlock - fromBlock)
    const y = nearestGap(grid, block, from.y + (to.y - from.y) * share)
    points.push({ x: block.left, y }, { x: block.right, y })
  }
  if (to.x > target.left + 1) points.push({ x: target.left, y: gapAbove(to) }, { x: to.x - gapX, y: gapAbove(to) })
  return points
}

function nearestGap(grid: Grid, block: Block, y: number): number {
  const gap = grid.cell.height - grid.nodeHeight
  const rows = Math.ceil(block.ids.length / block.columns)
  const row = Math.min(rows, Math.max(0, Math.round((y - block.top + gap / 2) / grid.cell.height)))
  return block.top + row * grid.cell.height - gap / 2
}
