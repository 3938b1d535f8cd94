// From the topology and its layout to what React Flow draws. Pure.

import type { Edge as FlowEdge, Node as FlowNode } from '@xyflow/react'
import type { Edge, Node, TopologyReply } from '../../api/topology'
import { bundleEdges, type Bundle } from '../../lib/bundle'
import { edgeId, groupBy, neighbourhood, type GraphEdge } from '../../lib/graph'
import type { Layout, LayoutInput, Point } from '../../lib/layout'
import { edgeShapes } from '../../lib/edges'
import { addUpFlows, bytesOf, isEncrypted, sumByPair, type FlowSum, type RawFlows } from '../../lib/flows'
import { formatBytes } from '../../lib/format'
import { protocolName } from '../../lib/protocol'
import { addUp } from '../../lib/offers'
import { edgeWidth } from '../../lib/path'

/** All calls from one service to another. */
export type Calls = Bundle<Edge>

export interface NodeData extends Record<string, unknown> {
  node: Node
  /** What its callers see of it, where it was not observed itself; undefined if nobody calls it. */
  called: { rate: number; errorRatio: number } | undefined
  /** Where no call is known: what its connections say. */
  moved: string | undefined
  isCompact: boolean
  isSelected: boolean
  isDimmed: boolean
  isFocus: boolean
}

interface LineData extends Record<string, unknown> {
  path: string
  label: Point
  seconds: number
  isLabelled: boolean
  /** There are many labels: this one has to be short. */
  isCrowded: boolean
  isSelected: boolean
  isDimmed: boolean
}

export interface EdgeData extends LineData {
  calls: Calls
  width: number
  /** Its connections, where nothing but TLS handshakes was read. */
  encrypted: FlowSum | undefined
}

export interface RawFlowData extends LineData {
  flow: FlowSum
}

export type ServiceFlowNode = FlowNode<NodeData, 'service'>
export type CallFlowEdge = FlowEdge<EdgeData, 'call'>
export type RawFlowEdge = FlowEdge<RawFlowData, 'flow'>

/** Beyond this many nodes the map shows small cards: 60 large ones fill a screen at the zoom where they are just readable. */
export const COMPACT_FROM = 60
/** Beyond this many edges only the abnormal, selected and hovered ones carry their figures. */
const LABELS_UP_TO = 45
/** Beyond this many the labels of a column come so close that only short ones can be told apart. */
const FULL_LABELS_UP_TO = 24

/** Lines without requests have no rate to show by their width. */
export const RAW_WIDTH = 1.3

const LARGE = { nodeWidth: 196, nodeHeight: 66 }
const COMPACT = { nodeWidth: 168, nodeHeight: 44 }

/** The part of the topology to show: all of it, or the surroundings of one service. leftOut are calls that are not drawn. */
export function visiblePart(reply: Pick<TopologyReply, 'nodes' | 'edges' | 'flows' | 'range'>, raw: RawFlows, focus: string | undefined, hops: number, leftOut: readonly Edge[]): MapPart {
  const seconds = reply.range.end - reply.range.start
  const all = [...reply.nodes, ...raw.nodes]
  const kept = focus === undefined ? undefined : neighbourhood(all.map((n) => n.id), [...reply.edges, ...raw.flows], focus, hops)
  const isKept = ({ client, server }: GraphEdge) => kept === undefined || kept.size === 0 || (kept.has(client) && kept.has(server))
  const edges = bundleEdges(reply.edges.filter(isKept))
  const secret = new Set(edges.filter((calls) => isEncrypted(calls.edges)).map(edgeId))
  return {
    nodes: kept === undefined || kept.size === 0 ? all : all.filter((n) => kept.has(n.id)),
    edges,
    leftOut,
    flows: raw.flows.filter(isKept),
    encrypted: new Map(sumByPair(reply.flows.filter((f) => secret.has(edgeId(f)))).map((sum) => [edgeId(sum), sum])),
    seconds,
  }
}

export interface MapPart {
  nodes: readonly Node[]
  edges: readonly Calls[]
  /** Calls that are not drawn: they count for who is called all the same. */
  leftOut: readonly Edge[]
  /** Lines without calls. */
  flows: readonly FlowSum[]
  /** What the connections of a line moved of which only TLS handshakes were read, by its id. */
  encrypted: ReadonlyMap<string, FlowSum>
  /** Of the time range. */
  seconds: number
}

/** Calls alone say where a service stands; raw flows place only what no call reaches, and leave the others where they are. */
export function layoutInput({ nodes, edges, flows }: MapPart): LayoutInput {
  const placed = new Set(edges.flatMap(({ client, server }) => [client, server]))
  const places = flows.filter(({ client, server }) => !placed.has(client) || !placed.has(server))
  const size = nodes.length > COMPACT_FROM ? COMPACT : LARGE
  return {
    nodes: nodes.map(({ id, entry }) => ({ id, entry })),
    edges: [...edges, ...places].map(({ client, server }) => ({ client, server })),
    ...size,
  }
}

/** "TLS api.example", "TCP 3 KiB/s": who it is says more than how much. */
export function flowLabel(flow: FlowSum, seconds: number): string {
  const [name, ...others] = flow.serverNames
  const told = name === undefined ? `${formatBytes(bytesOf(flow) / seconds)}/s` : `${name}${others.length > 0 ? ` +${others.length}` : ''}`
  return `${protocolName(flow.protocol)} ${told}`
}

export interface Emphasis {
  /** Node or edge whose panel is open. */
  selected: string | undefined
  focus: string | undefined
  /** Ids of nodes that a search found; undefined while nothing is searched. */
  found: ReadonlySet<string> | undefined
}

export function flowNodes({ nodes, edges, leftOut, flows, encrypted, seconds }: MapPart, layout: Layout, size: LayoutInput, emphasis: Emphasis): ServiceFlowNode[] {
  const callers = groupBy([...edges.flatMap((calls) => calls.edges), ...leftOut], (edge) => edge.server)
  const called = new Set(edges.filter((calls) => !encrypted.has(edgeId(calls))).flatMap((calls) => [calls.client, calls.server]))
  const moved = groupBy(
    [...flows, ...encrypted.values()].flatMap((f) => [f.client, f.server].filter((id) => !called.has(id)).map((id) => ({ id, f }))),
    ({ id }) => id,
  )
  return nodes.flatMap((node) => {
    const position = layout.positions[node.id]
    if (!position) return []
    return [
      {
        id: node.id,
        type: 'service' as const,
        position,
        width: size.nodeWidth,
        height: size.nodeHeight,
        draggable: false,
        connectable: false,
        ariaLabel: `Service ${node.id}`,
        data: {
          node,
          called: node.server || !called.has(node.id) ? undefined : summary(callers.get(node.id)),
          moved: node.server ? undefined : movedBy(moved.get(node.id), seconds),
          isCompact: nodes.length > COMPACT_FROM,
          isSelected: emphasis.selected === node.id,
          isFocus: emphasis.focus === node.id,
          isDimmed: emphasis.found !== undefined && !emphasis.found.has(node.id),
        },
      },
    ]
  })
}

function movedBy(found: readonly { f: FlowSum }[] | undefined, seconds: number): string | undefined {
  if (!found) return undefined
  const sum = addUpFlows(found.flatMap(({ f }) => f.flows))
  return `${protocolName(sum.protocol)} · ${formatBytes(bytesOf(sum) / seconds)}/s`
}

function summary(calls: readonly Edge[] | undefined): NodeData['called'] {
  if (!calls) return undefined
  const { rate, errorRatio } = addUp(calls.map(({ red }) => red))
  return { rate, errorRatio }
}

/** Raw flows come first and abnormal calls last, so that those are drawn over the others. */
export function flowEdges({ edges, flows, encrypted, seconds }: MapPart, layout: Layout, size: LayoutInput, emphasis: Emphasis): (CallFlowEdge | RawFlowEdge)[] {
  const shapes = edgeShapes([...edges, ...flows], layout, size)
  const count = edges.length + flows.length
  const weight = (edge: Calls) => (emphasis.selected === edgeId(edge) ? 2 : edge.severity === 'ok' ? 0 : 1)
  const line = (edge: GraphEdge, isUrgent: boolean) => {
    const id = edgeId(edge)
    const isSelected = emphasis.selected === id
    const touchesSelected = emphasis.selected === edge.client || emphasis.selected === edge.server
    return {
      seconds,
      isLabelled: isSelected || touchesSelected || isUrgent || count <= LABELS_UP_TO,
      isCrowded: !isSelected && count > FULL_LABELS_UP_TO,
      isSelected,
      isDimmed: emphasis.found !== undefined && !emphasis.found.has(edge.client) && !emphasis.found.has(edge.server),
    }
  }
  const raw = flows.flatMap((flow) => {
    const id = edgeId(flow)
    const shape = shapes.get(id)
    if (!shape) return []
    const ariaLabel = `Connections from ${flow.client} to ${flow.server}`
    return [{ id, type: 'flow' as const, source: flow.client, target: flow.server, ariaLabel, data: { flow, ...shape, ...line(flow, false) } }]
  })
  const calls = [...edges]
    .sort((a, b) => weight(a) - weight(b))
    .flatMap((edge) => {
      const id = edgeId(edge)
      const shape = shapes.get(id)
      if (!shape) return []
      const secret = encrypted.get(id)
      const data = { calls: edge, encrypted: secret, width: secret ? RAW_WIDTH : edgeWidth(edge.rate), ...shape, ...line(edge, edge.severity !== 'ok') }
      return [{ id, type: 'call' as const, source: edge.client, target: edge.server, ariaLabel: `Calls from ${edge.client} to ${edge.server}`, data }]
    })
  return [...raw, ...calls]
}
