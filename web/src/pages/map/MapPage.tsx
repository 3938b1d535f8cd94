import './map.css'
import { useMemo } from 'react'
import { useTopology, type TopologyReply } from '../../api/topology'
import { navigate } from '../../components/navigation'
import { ErrorMessage, LoadingRows, NoTraffic } from '../../components/States'
import { withoutCalls } from '../../lib/bundle'
import { areShownByDefault, rawFlows, withEnds, type RawFlows } from '../../lib/flows'
import { kindsOf, protocolName } from '../../lib/protocol'
import { matches } from '../../lib/rank'
import { foldResolvers, hiddenKinds, isLeftOut } from '../../lib/resolvers'
import { serviceFrom, type MapView } from '../../lib/url'
import { COMPACT_FROM, layoutInput, visiblePart, type Emphasis } from './flow'
import { MapPanel } from './MapPanel'
import { MapToolbar } from './MapToolbar'
import { ServiceMap } from './ServiceMap'
import { useLayout } from './useLayout'

export default function MapPage({ view }: { view: MapView }) {
  const query = useTopology()
  if (query.data) {
    if (query.data.nodes.length + query.data.flows.length === 0) return <NoTraffic range={view.range} />
    return <LoadedMap view={view} reply={query.data} isStale={query.isPlaceholderData} />
  }
  if (query.error) return <ErrorMessage error={query.error} retry={() => void query.refetch()} />
  return <LoadingRows rows={8} height={80} />
}

const NO_FLOWS: RawFlows = { flows: [], nodes: [], left: 0 }

function LoadedMap({ view, reply: whole, isStale }: { view: MapView; reply: TopologyReply; isStale: boolean }) {
  const reply = useMemo(() => foldResolvers(whole, view.focus, view.selected), [whole, view.focus, view.selected])
  const isChosen = view.hidden !== undefined
  const hidden = hiddenKinds(view.hidden, reply.edges, view.focus).join()
  const raw = useMemo(() => rawFlows(reply), [reply])
  const hasFlows = view.flows ?? (reply.nodes.length === 0 || areShownByDefault(raw))
  const part = useMemo(() => {
    const drawn = hasFlows ? raw : NO_FLOWS
    const kinds = hidden.split(',')
    const { nodes, edges } = withoutCalls(reply.nodes, reply.edges, (e) => isLeftOut(e, kinds, isChosen))
    const leftOut = reply.edges.filter((e) => isLeftOut(e, kinds, isChosen))
    return visiblePart({ ...reply, nodes: withEnds(nodes, reply.nodes, drawn.flows), edges }, drawn, view.focus, view.hops, leftOut)
  }, [reply, raw, hasFlows, view.focus, view.hops, hidden, isChosen])
  const size = useMemo(() => layoutInput(part), [part])
  const layout = useLayout(size)
  const found = useMemo(
    () => (view.search.trim() ? new Set(part.nodes.filter((n) => matches(view.search, n.id, n.language, ...n.protocols.map(protocolName))).map((n) => n.id)) : undefined),
    [part, view.search],
  )
  const emphasis: Emphasis = useMemo(() => ({ selected: view.selected, focus: view.focus, found }), [view.selected, view.focus, found])
  return (
    <div className={isStale ? 'map stale' : 'map'} data-many={size.nodes.length > COMPACT_FROM}>
      <MapToolbar view={view} part={part} total={reply.nodes.length + (hasFlows ? raw.nodes.length : 0)} raw={raw} hasFlows={hasFlows} found={found} kinds={kindsOf(reply.edges)} hidden={hidden.split(',')} />
      {layout.data && (
        <ServiceMap
          shown={part}
          layout={layout.data}
          size={size}
          emphasis={emphasis}
          part={`${view.hops} ${hidden} ${view.focus ?? ''} ${hasFlows}`}
          onSelect={(selected) => navigate({ ...view, selected }, view.selected !== undefined)}
          onOpen={(service) => navigate(serviceFrom(view, service))}
        />
      )}
      {layout.error && <ErrorMessage error={layout.error} retry={() => void layout.refetch()} />}
      {view.selected !== undefined && <MapPanel key={view.selected} view={view} reply={reply} raw={raw} selected={view.selected} />}
    </div>
  )
}
