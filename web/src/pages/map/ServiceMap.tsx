import '@xyflow/react/dist/base.css'
import { Background, BackgroundVariant, Controls, MiniMap, Panel, ReactFlow, useReactFlow, useStore, type EdgeTypes, type NodeTypes } from '@xyflow/react'
import { useEffect, useMemo, useRef, useState, type RefObject } from 'react'
import type { Node } from '../../api/topology'
import type { GraphEdge } from '../../lib/graph'
import { edgeId } from '../../lib/graph'
import type { Layout, LayoutInput } from '../../lib/layout'
import { ArrowHeads, CallEdge } from './CallEdge'
import { FlowEdge } from './FlowEdge'
import { flowEdges, flowNodes, type Emphasis, type MapPart, type ServiceFlowNode } from './flow'
import { ServiceNode } from './ServiceNode'

const nodeTypes: NodeTypes = { service: ServiceNode }
const edgeTypes: EdgeTypes = { call: CallEdge, flow: FlowEdge }

export interface ServiceMapProps {
  shown: MapPart
  layout: Layout
  size: LayoutInput
  emphasis: Emphasis
  /** Which part of the map this is: another part is shown as a whole again. */
  part: string
  onSelect: (id: string | undefined) => void
  onOpen: (service: string) => void
}

export function ServiceMap({ shown, layout, size, emphasis, part, onSelect, onOpen }: ServiceMapProps) {
  const flow = useMemo(
    () => ({ nodes: flowNodes(shown, layout, size, emphasis), edges: flowEdges(shown, layout, size, emphasis) }),
    [shown, layout, size, emphasis],
  )
  const [hovered, setHovered] = useState<string>()
  const movedRef = useRef(false)
  const fit = fitOptions(emphasis.selected !== undefined)
  return (
    <ReactFlow
      nodes={flow.nodes}
      edges={flow.edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      minZoom={0.05}
      maxZoom={2}
      fitView
      fitViewOptions={fit}
      nodesDraggable={false}
      nodesConnectable={false}
      elementsSelectable={false}
      deleteKeyCode={null}
      onlyRenderVisibleElements={false}
      onNodeMouseEnter={(_, node) => setHovered(node.id)}
      onNodeMouseLeave={() => setHovered(undefined)}
      onNodeClick={(_, node) => onSelect(node.id)}
      onNodeDoubleClick={(_, node) => onOpen(node.id)}
      onEdgeClick={(_, edge) => onSelect(edge.id)}
      onKeyDown={(event) => {
        const item = event.target instanceof Element ? event.target.closest<HTMLElement>('.react-flow__node, .react-flow__edge') : null
        if (event.key === 'Enter' && item?.dataset.id) onSelect(item.dataset.id)
        if (event.key === 'Escape') onSelect(undefined)
      }}
      onMoveStart={(event) => {
        // Without an event it was the page itself that moved the map.
        if (event) movedRef.current = true
      }}
      onPaneClick={() => onSelect(undefined)}
      zoomOnDoubleClick={false}
      proOptions={{ hideAttribution: true }}
    >
      <ArrowHeads />
      <Background variant={BackgroundVariant.Dots} gap={24} size={1} color="var(--line-strong)" />
      <Controls showInteractive={false} fitViewOptions={fit} />
      <Overview layout={layout} />
      <Highlight id={hovered ?? nodeId(shown.nodes, emphasis.selected)} />
      <Legend hasRaw={shown.flows.length + shown.encrypted.size > 0} />
      <Detail />
      <Camera layout={layout} part={part} movedRef={movedRef} found={emphasis.found} hasPanel={emphasis.selected !== undefined} />
      <KeepClear nodes={shown.nodes} edges={[...shown.edges, ...shown.flows]} selected={emphasis.selected} />
    </ReactFlow>
  )
}

/** The panel, its margin, and a little air. */
const PANEL_WIDTH = 400

/** Room for the tool bar above and, where open, for the panel on the right. */
function fitOptions(hasPanel: boolean) {
  return { padding: { top: '64px', left: '64px', bottom: '60px', right: hasPanel ? `${PANEL_WIDTH}px` : '40px' }, maxZoom: 1.1 } as const
}

/** The small map, while a part of the map is outside the screen. */
function Overview({ layout }: { layout: Layout }) {
  const isPartHidden = useStore(({ transform, width, height }) => layout.width * transform[2] > width || layout.height * transform[2] > height)
  if (!isPartHidden) return null
  return <MiniMap pannable zoomable nodeColor={miniColor} nodeStrokeWidth={0} nodeBorderRadius={8} maskColor="var(--mini-mask)" ariaLabel="Small map of everything" />
}

function nodeId(nodes: readonly Node[], id: string | undefined): string | undefined {
  return nodes.some((node) => node.id === id) ? id : undefined
}

/** Brings out the calls of one service. A rule instead of new properties: hovering must not draw hundreds of edges anew. */
function Highlight({ id }: { id: string | undefined }) {
  if (id === undefined) return null
  const name = JSON.stringify(id)
  const mine = `.map .call:is([data-client=${name}], [data-server=${name}])`
  return <style>{`.map .call-line { stroke-opacity: 0.18 } ${mine} .call-line { stroke-opacity: 1 } ${mine}[data-severity=ok] .call-line { stroke: var(--accent) }`}</style>
}

function Legend({ hasRaw }: { hasRaw: boolean }) {
  return (
    <Panel position="bottom-left" className="map-legend">
      <span>Cards: requests · errors · P95</span>
      <span>Lines: the wider, the more requests</span>
      <span>
        <i className="legend-external" /> not on this host
      </span>
      <span>
        <i className="legend-abnormal" /> abnormal
      </span>
      {hasRaw && (
        <span>
          <i className="legend-raw" /> bytes only: not read, or encrypted
        </span>
      )}
    </Panel>
  )
}

function miniColor(node: ServiceFlowNode): string {
  const { severity, external } = node.data.node
  if (severity !== 'ok') return `var(--${severity}-strong)`
  return external ? 'var(--line-strong)' : 'var(--edge)'
}

/** Cards lose their figures, then everything but the name, as the map gets smaller: at 0.62 figures of 12 px are 7 px high. */
function Detail() {
  const detail = useStore((state) => (state.transform[2] > 0.62 ? 'full' : state.transform[2] > 0.36 ? 'name' : 'far'))
  const root = useStore((state) => state.domNode)
  useEffect(() => root?.setAttribute('data-detail', detail), [root, detail])
  return null
}

/** Moves what was selected out from under the panel, as far as needed and no further. */
function KeepClear({ nodes, edges, selected }: { nodes: readonly Node[]; edges: readonly GraphEdge[]; selected: string | undefined }) {
  const { getInternalNode, getViewport, setViewport } = useReactFlow()
  const width = useStore((state) => state.width)
  useEffect(() => {
    if (selected === undefined) return
    const edge = edges.find((e) => edgeId(e) === selected)
    const ids = edge ? [edge.client, edge.server] : nodes.filter((n) => n.id === selected).map((n) => n.id)
    const { x, y, zoom } = getViewport()
    const right = Math.max(...ids.map((id) => rightEnd(getInternalNode(id)) * zoom + x))
    const hidden = right - (width - PANEL_WIDTH)
    if (hidden > 0) void setViewport({ x: x - hidden, y, zoom }, { duration: 200 })
    // Only a new selection moves the map, not new figures.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected])
  return null
}

function rightEnd(node: { position: { x: number }; width?: number } | undefined): number {
  return node ? node.position.x + (node.width ?? 0) : -Infinity
}

interface CameraProps {
  layout: Layout
  part: string
  /** Set once the user has moved the map: from then on a service that comes or goes does not move it. */
  movedRef: RefObject<boolean>
  found: ReadonlySet<string> | undefined
  hasPanel: boolean
}

/** Moves the view only to another part of the map, to a new layout while untouched, or to what a search found. */
function Camera({ layout, part, movedRef, found, hasPanel }: CameraProps) {
  const { fitView } = useReactFlow()
  const shown = useRef(layout)
  useEffect(() => {
    movedRef.current = false
  }, [part, movedRef])
  useEffect(() => {
    if (shown.current === layout) return
    shown.current = layout
    if (movedRef.current) return
    // The nodes of the new layout are measured in the next frame.
    const frame = requestAnimationFrame(() => void fitView({ ...fitOptions(hasPanel), duration: 250 }))
    return () => cancelAnimationFrame(frame)
  }, [layout, movedRef, hasPanel, fitView])
  const foundKey = found ? [...found].join('\n') : ''
  useEffect(() => {
    if (foundKey === '') return
    const ids = foundKey.split('\n').map((id) => ({ id }))
    const timer = setTimeout(() => void fitView({ nodes: ids, padding: 0.4, maxZoom: 1, duration: 250 }), 250)
    return () => clearTimeout(timer)
  }, [foundKey, fitView])
  return null
}
