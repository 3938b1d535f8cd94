// The map as a graph: neighbourhoods, and the shape that decides whether a layout is still good.

export interface GraphEdge {
  client: string
  server: string
}

export function edgeId(edge: GraphEdge): string {
  return `${edge.client}→${edge.server}`
}

/** Ids within `hops` calls of `focus`, in both directions, focus included; empty if focus is not in the graph. */
export function neighbourhood(ids: readonly string[], edges: readonly GraphEdge[], focus: string, hops: number): Set<string> {
  if (!ids.includes(focus)) return new Set()
  const next = new Map<string, Set<string>>()
  const connect = (from: string, to: string) => {
    const set = next.get(from) ?? new Set()
    next.set(from, set.add(to))
  }
  for (const { client, server } of edges) {
    connect(client, server)
    connect(server, client)
  }
  const reached = new Set([focus])
  let frontier = [focus]
  for (let hop = 0; hop < hops; hop++) {
    frontier = frontier.flatMap((id) => [...(next.get(id) ?? [])]).filter((id) => !reached.has(id))
    for (const id of frontier) reached.add(id)
  }
  return reached
}

/** Equal for two graphs with the same nodes and edges in any order; figures do not count. */
export function shapeKey(ids: readonly string[], edges: readonly GraphEdge[]): string {
  return JSON.stringify([[...ids].sort(), edges.map(edgeId).sort()])
}

/** Like Map.groupBy, which browsers have only since 2024. */
export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
