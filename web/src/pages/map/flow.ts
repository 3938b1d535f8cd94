// From the topology and its layout to what React Flow draws. Pure.

import type { Edge as FlowEdge, Node as FlowNode } from '@xyflow/react'
import type { Edge, Node, TopologyReply } from '../../api/topology'
import { bundleEdges, type Bundle } from '../../lib/bundle'
import { edgeId, groupBy, neighbourhood } from '../../lib/graph'
import type { Layout, LayoutInput, Point } from '../../lib/layout'
import { edgeShapes } from '../../lib/edges'
import { addUp } from '../../lib/offers'
import { edgeWidth } from '../../lib/path'

/** All calls from one service to another. */
export type Calls = Bundle<Edge>

export interface NodeData extends Record<string, unknown> {
  node: Node
  /** What its callers see of it, where it was not observed itself; undefined if nobody calls it. */
  called: { rate: number; errorRatio: number } | undefined
  isCompact: boolean
  isSelected: boolean
  isDimmed: boolean
  isFocus: boolean
}

export interface EdgeData extends Record<string, unknown> {
  calls: Calls
  path: string
  label: Point
  width: number
  isLabelled: boolean
  /** There are many labels: this one has to be short. */
  isCrowded: boolean
  isSelected: boolean
  isDimmed: boolean
}

export type ServiceFlowNode = FlowNode<NodeData, 'service'>
export type CallFlowEdge = FlowEdge<EdgeData, 'call'>

/** Beyond this many nodes the map shows small cards: 60 large ones fill a screen at the zoom where they are just readable. */
export const COMPACT_FROM = 60
/** Beyond this many edges only the abnormal, selected and hovered ones carry their figures. */
const LABELS_UP_TO = 45
/** Beyond this many the labels of a column come so close that only short ones can be told apart. */
const FULL_LABELS_UP_TO = 24

const LARGE = { nodeWidth: 196, nodeHeight: 66 }
const COMPACT = { nodeWidth: 168, nodeHeight: 44 }

/** The part of the topology to show: all of it, or the surroundings of one service. */
export function visiblePart(reply: Pick<TopologyReply, 'nodes' | 'edges'>, focus: string | undefined, hops: number): MapPart {
  const kept = focus === undefined ? undefined : neighbourhood(reply.nodes.map((n) => n.id), reply.edges, focus, hops)
  if (kept === undefined || kept.size === 0) return { nodes: reply.nodes, edges: bundleEdges(reply.edges) }
  return {
    nodes: reply.nodes.filter((n) => kept.has(n.id)),
    edges: bundleEdges(reply.edges.filter((e) => kept.has(e.client) && kept.has(e.server))),
  }
}

export interface MapPart {
  nodes: readonly Node[]
  edges: readonly Calls[]
}

export function layoutInput({ nodes, edges }: MapPart): LayoutInput {
  const size = nodes.length > COMPACT_FROM ? COMPACT : LARGE
  return {
    nodes: nodes.map(({ id, entry }) => ({ id, entry })),
    edges: edges.map(({ client, server }) => ({ client, server })),
    ...size,
  }
}

export interface Emphasis {
  /** Node or edge whose panel is open. */
  selected: string | undefined
  focus: string | undefined
  /** Ids of nodes that a search found; undefined while nothing is searched. */
  found: ReadonlySet<string> | undefined
}

export function flowNodes({ nodes, edges }: MapPart, layout: Layout, size: LayoutInput, emphasis: Emphasis): ServiceFlowNode[] {
  const callers = groupBy(edges, (calls) => calls.server)
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
          called: node.server ? undefined : summary(callers.get(node.id)),
          isCompact: nodes.length > COMPACT_FROM,
          isSelected: emphasis.selected === node.id,
          isFocus: emphasis.focus === node.id,
          isDimmed: emphasis.found !== undefined && !emphasis.found.has(node.id),
        },
      },
    ]
  })
}

function summary(calls: readonly Calls[] | undefined): NodeData['called'] {
  if (!calls) return undefined
  const { rate, errorRatio } = addUp(calls.flatMap(({ edges }) => edges.map(({ red }) => red)))
  return { rate, errorRatio }
}

/** Abnormal calls come last, so that they are drawn over the others. */
export function flowEdges(edges: readonly Calls[], layout: Layout, size: LayoutInput, emphasis: Emphasis): CallFlowEdge[] {
  const shapes = edgeShapes(edges, layout, size)
  const weight = (edge: Calls) => (emphasis.selected === edgeId(edge) ? 2 : edge.severity === 'ok' ? 0 : 1)
  return [...edges]
    .sort((a, b) => weight(a) - weight(b))
    .flatMap((edge) => {
      const id = edgeId(edge)
      const shape = shapes.get(id)
      if (!shape) return []
      const isSelected = emphasis.selected === id
      const touchesSelected = emphasis.selected === edge.client || emphasis.selected === edge.server
      const isDimmed = emphasis.found !== undefined && !emphasis.found.has(edge.client) && !emphasis.found.has(edge.server)
      return [
        {
          id,
          type: 'call' as const,
          source: edge.client,
          target: edge.server,
          ariaLabel: `Calls from ${edge.client} to ${edge.server}`,
          data: {
            calls: edge,
            ...shape,
            width: edgeWidth(edge.rate),
            isLabelled: isSelected || touchesSelected || edge.severity !== 'ok' || edges.length <= LABELS_UP_TO,
            isCrowded: !isSelected && edges.length > FULL_LABELS_UP_TO,
            isSelected,
            isDimmed,
          },
        },
      ]
    })
}
