// Connections of which no request is known, as the map draws them. Pure.

import type { Edge, Flow, Node, TopologyReply } from '../api/topology'
import { edgeId, groupBy, type GraphEdge } from './graph'

/** What the connections from one service to another moved, all protocols together. */
export interface FlowSum extends GraphEdge {
  flows: readonly Flow[]
  /** By what Sonde knows of it: "tcp" for nothing. The one that moved most. */
  protocol: string
  opened: number
  resets: number
  retransmits: number
  requestBytes: number
  responseBytes: number
  /** Seconds; undefined where not known. */
  roundTrip: number | undefined
  /** That TLS handshakes asked for. */
  serverNames: string[]
}

export interface RawFlows {
  /** The busiest first. */
  flows: FlowSum[]
  /** That no call reaches. */
  nodes: Node[]
  /** How many more there are: only the busiest are drawn. */
  left: number
}

/** So many lines without a figure that anybody asked for are more than a map can bear. */
const MAX_DRAWN = 100
/** Up to here they are drawn without being asked for. */
const SHOWN_UP_TO = 25

export function areShownByDefault({ flows, left }: RawFlows): boolean {
  return flows.length + left <= SHOWN_UP_TO
}

export function bytesOf({ requestBytes, responseBytes }: Pick<FlowSum, 'requestBytes' | 'responseBytes'>): number {
  return requestBytes + responseBytes
}

/** A pair of which at most TLS handshakes were read. */
export function isEncrypted(edges: readonly Pick<Edge, 'protocol'>[]): boolean {
  return edges.length > 0 && edges.every(({ protocol }) => protocol === 'tls')
}

/** The flows between pairs of services that no call connects in that direction. Strangers who connect to the same service are one node. */
export function rawFlows({ nodes, edges, flows }: Pick<TopologyReply, 'nodes' | 'edges' | 'flows'>): RawFlows {
  const called = new Set(edges.map(edgeId))
  const known = new Set(nodes.map((n) => n.id))
  const raw = foldStrangers(flows.filter((f) => !called.has(edgeId(f))), known)
  const all = sumByPair(raw).sort((a, b) => bytesOf(b) - bytesOf(a) || (edgeId(a) < edgeId(b) ? -1 : 1))
  const drawn = all.slice(0, MAX_DRAWN)
  return { flows: drawn, nodes: nodesOf(drawn, known), left: all.length - drawn.length }
}

/** The nodes, and those of all that a flow touches: a service whose calls are left out may have flows. */
export function withEnds<N extends { id: string }>(nodes: readonly N[], all: readonly N[], flows: readonly GraphEdge[]): N[] {
  const kept = new Set([...nodes.map((n) => n.id), ...flows.flatMap((f) => [f.client, f.server])])
  return all.filter((n) => kept.has(n.id))
}

export function sumByPair(flows: readonly Flow[]): FlowSum[] {
  return [...groupBy(flows, edgeId).values()].map(addUpFlows)
}

/** There must be one at least; they may be of several pairs. */
export function addUpFlows(flows: readonly Flow[]): FlowSum {
  const sum = (pick: (flow: Flow) => number) => flows.reduce((total, flow) => total + pick(flow), 0)
  const [busiest] = [...flows].sort((a, b) => bytesOf(b) - bytesOf(a)) as [Flow]
  return {
    client: busiest.client,
    server: busiest.server,
    flows,
    protocol: busiest.protocol,
    opened: sum((f) => f.opened),
    resets: sum((f) => f.resets),
    retransmits: sum((f) => f.retransmits),
    requestBytes: sum((f) => f.requestBytes),
    responseBytes: sum((f) => f.responseBytes),
    roundTrip: busiest.roundTrip > 0 ? busiest.roundTrip : undefined,
    serverNames: [...new Set(flows.flatMap((f) => f.serverNames))],
  }
}

/** Clients elsewhere that do nothing but connect to one service: each would be a node of its own. */
function foldStrangers(flows: readonly Flow[], known: ReadonlySet<string>): Flow[] {
  const servers = new Set(flows.map((f) => f.server))
  const isStranger = (f: Flow) => f.clientExternal && !known.has(f.client) && !servers.has(f.client)
  const strangers = groupBy(flows.filter(isStranger), (f) => f.server)
  return flows.map((f) => {
    const clients = new Set(isStranger(f) ? strangers.get(f.server)?.map((s) => s.client) : [])
    return clients.size > 1 ? { ...f, client: `${clients.size} clients of ${f.server}` } : f
  })
}

function nodesOf(flows: readonly FlowSum[], known: ReadonlySet<string>): Node[] {
  const found = new Map<string, boolean>()
  for (const f of flows.flatMap((sum) => sum.flows)) {
    if (!known.has(f.client)) found.set(f.client, f.clientExternal)
    if (!known.has(f.server)) found.set(f.server, f.serverExternal)
  }
  // Who is connected to by nobody stands where traffic enters: a column of its own would move the whole map.
  const servers = new Set(flows.map((f) => f.server))
  return [...found].map(([id, external]) => ({ id, external, entry: !servers.has(id), kinds: [], protocols: [], instances: 0, severity: 'ok', reasons: [] }))
}
