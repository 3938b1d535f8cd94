// DNS on the map: every service asks, and who answers is seldom the point. The DNS page keeps everything. Pure.

import type { Edge, Node, TopologyReply } from '../api/topology'

/** The kind of calls that the whole map leaves out of its own accord. */
const DNS = 'dns'

/** The one node that stands for all resolvers elsewhere. */
export const RESOLVERS = 'DNS resolvers'

/** An edge to a resolver that was folded into RESOLVERS. */
export interface FoldedEdge extends Edge {
  /** The resolver. */
  of?: string
}

export type FoldedTopology = Omit<TopologyReply, 'edges'> & { edges: FoldedEdge[] }

/** Which kinds of calls are left out: what the user chose, or else DNS on a map that has more and is not about one service. */
export function hiddenKinds(chosen: readonly string[] | undefined, edges: readonly Pick<Edge, 'kind'>[], focus: string | undefined): readonly string[] {
  if (chosen) return chosen
  return focus === undefined && edges.some((e) => e.kind !== DNS) ? [DNS] : []
}

/** Whether a call is left out. What nobody chose to leave out is drawn where it is in trouble. */
export function isLeftOut(edge: Edge, hidden: readonly string[], isChosen: boolean): boolean {
  return hidden.includes(edge.kind) && (isChosen || !isTroubled(edge))
}

/** From here on errors are a symptom: server/query/judge.go. */
const ERROR_LIMIT = 0.01

/** Look-ups of names that do not exist (typing errors, browsers' probes, search domains) say nothing of the resolver. */
function isTroubled({ severity, reasons, red }: Edge): boolean {
  if (severity === 'ok') return false
  const others = red.errors - (red.errorsByType?.NXDOMAIN ?? 0)
  return others >= ERROR_LIMIT * red.requests && others > 0 || reasons.some(({ signal }) => signal === 'latency' || signal === 'slow')
}

/**
 * The topology with the resolvers outside of this host, where there are several, as one node. Those that answer to more than DNS, or ask themselves,
 * stay; so does what the user looks at: the focus, the selected node, the end of the selected line.
 */
export function foldResolvers(reply: TopologyReply, focus: string | undefined, selected: string | undefined): FoldedTopology {
  const clients = new Set(reply.edges.map((e) => e.client))
  const isLookedAt = (id: string) => id === focus || id === selected || selected?.endsWith(`→${id}`) === true
  const resolvers = reply.nodes.filter((n) => n.external && n.kinds.length > 0 && n.kinds.every((kind) => kind === DNS) && !clients.has(n.id) && !isLookedAt(n.id))
  if (resolvers.length < 2) return reply
  const folded = new Set(resolvers.map((n) => n.id))
  return {
    ...reply,
    nodes: [...reply.nodes.filter((n) => !folded.has(n.id)), oneOf(resolvers)],
    edges: reply.edges.map((e) => (folded.has(e.server) ? { ...e, server: RESOLVERS, of: e.server } : e)),
    flows: reply.flows.map((f) => (folded.has(f.server) ? { ...f, server: RESOLVERS } : f)),
  }
}

function oneOf(resolvers: readonly Node[]): Node {
  const severity = (['critical', 'warning'] as const).find((s) => resolvers.some((n) => n.severity === s)) ?? 'ok'
  return {
    id: RESOLVERS, external: true, entry: false, kinds: [DNS], protocols: [...new Set(resolvers.flatMap((n) => n.protocols))], instances: 0,
    severity, reasons: resolvers.flatMap((n) => n.reasons.map((r) => ({ ...r, text: `${n.id}: ${r.text}` }))),
  }
}
