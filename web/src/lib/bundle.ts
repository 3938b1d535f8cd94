// The calls from one service to another, all protocols together: one line of the map.

import type { Severity } from '../api/types'
import { groupBy, type GraphEdge } from './graph'

/** What a bundle asks of an edge. */
export interface Call extends GraphEdge {
  protocol: string
  red: { requests: number; rate: number; errors: number; p95: number }
  severity: Severity
}

export interface Bundle<E extends Call = Call> extends GraphEdge {
  /** One for each protocol, the worst first, then the busiest. */
  edges: E[]
  rate: number
  errorRatio: number
  /** Only of a single protocol: percentiles of several cannot be joined. */
  p95: number | undefined
  severity: Severity
}

const RANK: Record<Severity, number> = { ok: 0, warning: 1, critical: 2 }

/** Without some calls, and without nodes that have no other. */
export function withoutCalls<N extends { id: string }, E extends GraphEdge>(nodes: readonly N[], edges: readonly E[], isHidden: (edge: E) => boolean) {
  const kept = edges.filter((e) => !isHidden(e))
  if (kept.length === edges.length) return { nodes: [...nodes], edges: kept }
  const ends = new Set(kept.flatMap((e) => [e.client, e.server]))
  const touched = new Set(edges.flatMap((e) => [e.client, e.server]))
  return { nodes: nodes.filter((n) => ends.has(n.id) || !touched.has(n.id)), edges: kept }
}

export function bundleEdges<E extends Call>(edges: readonly E[]): Bundle<E>[] {
  const groups = groupBy(edges, ({ client, server }) => JSON.stringify([client, server]))
  return [...groups.values()].map((group) => {
    const sorted = [...group].sort((a, b) => RANK[b.severity] - RANK[a.severity] || b.red.rate - a.red.rate || (a.protocol < b.protocol ? -1 : 1))
    const worst = sorted[0] as E
    const requests = sorted.reduce((sum, { red }) => sum + red.requests, 0)
    const errors = sorted.reduce((sum, { red }) => sum + red.errors, 0)
    return {
      client: worst.client,
      server: worst.server,
      edges: sorted,
      rate: sorted.reduce((sum, { red }) => sum + red.rate, 0),
      errorRatio: requests > 0 ? errors / requests : 0,
      p95: sorted.length === 1 ? worst.red.p95 : undefined,
      severity: worst.severity,
    }
  })
}
