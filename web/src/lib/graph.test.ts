import { describe, expect, it } from 'vitest'
import { large } from '../../mock/large'
import { edgeShapes } from './edges'
import { edgeId, neighbourhood, shapeKey, type GraphEdge } from './graph'
import { layoutGraph, type Layout, type LayoutInput } from './layout'
import { fitZoom, packIfTooLarge } from './pack'

const edge = (client: string, server: string): GraphEdge => ({ client, server })
const SIZE = { nodeWidth: 200, nodeHeight: 60 }

function input(edges: GraphEdge[], entries: string[] = [], alone: string[] = []): LayoutInput {
  const ids = [...new Set([...edges.flatMap((e) => [e.client, e.server]), ...alone])]
  return { nodes: ids.map((id) => ({ id, entry: entries.includes(id) })), edges, ...SIZE }
}

function overlaps({ positions }: Layout, { nodeWidth, nodeHeight }: LayoutInput): string[] {
  const found: string[] = []
  const all = Object.entries(positions)
  all.forEach(([a, p], i) => {
    for (const [b, q] of all.slice(i + 1)) {
      if (Math.abs(p.x - q.x) < nodeWidth && Math.abs(p.y - q.y) < nodeHeight) found.push(`${a} on ${b}`)
    }
  })
  return found
}

describe('neighbourhood', () => {
  const edges = [edge('a', 'b'), edge('b', 'c'), edge('c', 'd'), edge('x', 'c'), edge('b', 'b')]
  const ids = ['a', 'b', 'c', 'd', 'x', 'alone']
  it.each([
    ['b', 1, 'a b c'],
    ['b', 2, 'a b c d x'],
    ['a', 1, 'a b'],
    ['alone', 3, 'alone'],
    ['gone', 1, ''],
  ])('of %s within %i calls', (focus, hops, want) => {
    expect([...neighbourhood(ids, edges, focus, hops)].sort().join(' ')).toBe(want)
  })
})

describe('shapeKey', () => {
  it('does not depend on order, and sees every difference', () => {
    const a = shapeKey(['a', 'b'], [edge('a', 'b'), edge('b', 'a')])
    expect(shapeKey(['b', 'a'], [edge('b', 'a'), edge('a', 'b')])).toBe(a)
    expect(shapeKey(['a', 'b'], [edge('a', 'b')])).not.toBe(a)
    expect(shapeKey(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'a')])).not.toBe(a)
  })
})

describe('layoutGraph', () => {
  const shop = input([edge('in', 'web'), edge('web', 'cart'), edge('web', 'db'), edge('cart', 'db'), edge('late', 'db'), edge('db', 'web')], ['in', 'late'])

  it('puts every entry into the leftmost column and callees to the right of callers', () => {
    const { positions } = layoutGraph(shop)
    expect([positions.in?.x, positions.late?.x]).toEqual([0, 0])
    expect(positions.web?.x).toBeGreaterThan(positions.in?.x ?? 0)
    expect(positions.db?.x).toBeGreaterThan(positions.cart?.x ?? 0)
  })

  it('is the same for the same graph in another order', () => {
    const shuffled = { ...shop, nodes: [...shop.nodes].reverse(), edges: [...shop.edges].reverse() }
    expect(layoutGraph(shuffled)).toEqual(layoutGraph(shop))
  })

  it('places nodes without calls and self-callers, too, and nothing twice', () => {
    const graph = input([edge('a', 'b'), edge('self', 'self')], [], ['alone'])
    const layout = layoutGraph(graph)
    expect(Object.keys(layout.positions).sort()).toEqual(['a', 'alone', 'b', 'self'])
    expect(overlaps(layout, graph)).toEqual([])
  })

  it('knows a graph of nothing but lone nodes', () => {
    const graph = input([], [], ['a', 'b', 'c'])
    expect(overlaps(layoutGraph(graph), graph)).toEqual([])
  })

  it('gives every edge a line, also in a cycle', () => {
    const graph = input([edge('a', 'b'), edge('b', 'a'), edge('a', 'a')])
    const shapes = edgeShapes(graph.edges, layoutGraph(graph), graph)
    expect([...shapes.keys()].sort()).toEqual(graph.edges.map(edgeId).sort())
    for (const { path } of shapes.values()) expect(path).toMatch(/^M[-\d.]+,[-\d.]+(C[-\d., ]+)+$/)
  })
})

describe('a map of 200 services', () => {
  const world = large(200)
  const ids = world.services.map((s) => s.name)
  const edges = world.calls.map(({ client, server }) => edge(client, server))
  const graph: LayoutInput = {
    nodes: ids.map((id) => ({ id, entry: !edges.some((e) => e.server === id) })),
    edges,
    nodeWidth: 168,
    nodeHeight: 44,
  }
  const layout = packIfTooLarge(layoutGraph(graph), graph)

  it('is readable as a whole: names of 17 pixels are drawn at least 8 high', () => {
    expect(fitZoom(layout) * 17).toBeGreaterThan(8)
  })

  it('has every service once, apart from the others, and every call', () => {
    expect(Object.keys(layout.positions).sort()).toEqual([...ids].sort())
    expect(overlaps(layout, graph)).toEqual([])
    expect(edgeShapes(edges, layout, graph).size).toBe(edges.length)
  })

  it('draws no level stretch of a line behind a card', () => {
    const cards = Object.values(layout.positions)
    const hidden = Object.values(layout.bends).flatMap((points) =>
      points.slice(1).filter((to, i) => {
        const from = points[i]
        return from?.y === to.y && cards.some((c) => to.y > c.y && to.y < c.y + 44 && Math.min(from.x, to.x) < c.x + 168 && Math.max(from.x, to.x) > c.x)
      }),
    )
    expect(hidden).toEqual([])
  })
})
