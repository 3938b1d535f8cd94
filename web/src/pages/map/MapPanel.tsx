import { Button } from '@mantine/core'
import type { Flow, Node } from '../../api/topology'
import { GoldenSignals } from '../../components/GoldenSignals'
import { CloseIcon, FocusIcon, KindIcon } from '../../components/icons'
import { Link, navigate } from '../../components/navigation'
import { LanguageBadge } from '../../components/Panel'
import { ReasonsList, SeverityMark } from '../../components/Severity'
import { formatLatency, formatRate, formatRatio, languageName, plural } from '../../lib/format'
import { bundleEdges } from '../../lib/bundle'
import type { RawFlows } from '../../lib/flows'
import { edgeId } from '../../lib/graph'
import { RESOLVERS, type FoldedEdge, type FoldedTopology } from '../../lib/resolvers'
import { isBackend, pageOf, protocolName } from '../../lib/protocol'
import { Connections, FlowList, FlowPanel, ServerNames } from './FlowPanel'
import { offersFrom, serviceFrom, type MapView } from '../../lib/url'

export interface MapPanelProps {
  view: MapView
  reply: FoldedTopology
  raw: RawFlows
  selected: string
}

export function MapPanel({ view, reply, raw, selected }: MapPanelProps) {
  const seconds = reply.range.end - reply.range.start
  return (
    <aside className="map-panel" aria-label="Details">
      <button type="button" className="map-panel-close" aria-label="Close" onClick={() => navigate({ ...view, selected: undefined })}>
        <CloseIcon />
      </button>
      <Selected view={view} reply={reply} raw={raw} selected={selected} seconds={seconds} />
    </aside>
  )
}

function Selected({ view, reply, raw, selected, seconds }: MapPanelProps & { seconds: number }) {
  const node = [...reply.nodes, ...raw.nodes].find((n) => n.id === selected)
  if (node) return <NodePanel view={view} reply={reply} raw={raw} node={node} seconds={seconds} />
  const edges = reply.edges.filter((e) => edgeId(e) === selected)
  if (edges.length > 0) return <EdgePanel view={view} edges={edges} flows={reply.flows.filter((f) => edgeId(f) === selected)} seconds={seconds} />
  const flow = raw.flows.find((f) => edgeId(f) === selected)
  return flow ? <FlowPanel flow={flow} seconds={seconds} /> : <p className="faint">No traffic in this time range.</p>
}

interface NodePanelProps {
  view: MapView
  reply: FoldedTopology
  raw: RawFlows
  node: Node
  seconds: number
}

function NodePanel({ view, reply, raw, node, seconds }: NodePanelProps) {
  const isRaw = raw.nodes.includes(node)
  const callers = reply.edges.filter((e) => e.server === node.id)
  const calls = reply.edges.filter((e) => e.client === node.id)
  const page = pageOf(node.kinds[0])
  return (
    <>
      <h2>
        <SeverityMark severity={node.severity} size={16} />
        <span className="panel-name">{node.id}</span>
      </h2>
      <p className="map-panel-badges">
        {node.external ? <span className="badge badge-external">external</span> : isRaw ? <span className="badge">no requests seen</span> : <LanguageBadge name={languageName(node.language)} />}
        {node.kinds.some((kind) => kind !== 'http') &&
          node.protocols.map((protocol) => (
            <span key={protocol} className="badge">
              {protocolName(protocol)}
            </span>
          ))}
        {!node.external && !isRaw && <span className="badge">{plural(node.instances, 'instance')}</span>}
        {node.entry && !isRaw && <span className="badge">entry</span>}
      </p>
      <ReasonsList reasons={node.reasons} />
      {node.server ? <GoldenSignals red={node.server} reasons={node.reasons} /> : <p className="faint">{callers.length > 0 ? 'It was not observed itself. Its callers see:' : isRaw ? 'Only its connections were seen, no request that Sonde reads.' : 'It serves no requests itself.'}</p>}
      <div className="map-panel-actions">
        {!node.external && !isRaw && (
          <Button component={Link} to={serviceFrom(view, node.id)} size="xs">
            Open service
          </Button>
        )}
        {page && isBackend(node.kinds[0]) && (
          <Button component={Link} to={offersFrom(view, page, node.id === RESOLVERS ? undefined : node.id)} size="xs" variant={node.external ? 'filled' : 'default'}>
            What is asked of it
          </Button>
        )}
        {view.focus !== node.id && (
          <Button variant="default" size="xs" leftSection={<FocusIcon />} onClick={() => navigate({ ...view, focus: node.id })}>
            Focus
          </Button>
        )}
      </div>
      <CallList view={view} title="Called by" edges={callers} end="client" />
      <CallList view={view} title="Calls" edges={calls} end="server" />
      <FlowList view={view} flows={raw.flows} id={node.id} seconds={seconds} />
    </>
  )
}

function CallList({ view, title, edges, end }: { view: MapView; title: string; edges: readonly FoldedEdge[]; end: 'client' | 'server' }) {
  if (edges.length === 0) return null
  const isMixed = new Set(edges.map((e) => e.protocol)).size > 1
  const sorted = [...edges].sort((a, b) => Number(b.severity !== 'ok') - Number(a.severity !== 'ok') || b.red.rate - a.red.rate)
  return (
    <section>
      <h3>
        {title} <span className="faint">{edges.length}</span>
      </h3>
      <ul className="call-list">
        {sorted.map((edge) => (
          <li key={`${edgeId(edge)} ${edge.protocol} ${edge.of ?? ''}`}>
            <button type="button" onClick={() => navigate({ ...view, selected: edgeId(edge) })}>
              <SeverityMark severity={edge.severity} />
              <span className="call-name" data-folded={end === 'client' && edge.of !== undefined}>
                <span className="ellipsis">{end === 'server' ? (edge.of ?? edge.server) : edge.client}</span>
                {end === 'client' && edge.of && <span className="ellipsis call-protocol">{edge.of}</span>}
                {isMixed && edge.protocol !== 'http' && <span className="ellipsis call-protocol">{protocolName(edge.protocol)}</span>}
              </span>
              <span>{formatRate(edge.red.rate)}</span>
              <span className={edge.severity === 'ok' ? 'faint' : `text-${edge.severity}`}>{formatRatio(edge.red.errorRatio)}</span>
              <span className="faint">{formatLatency(edge.red.p95)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

const SEEN: Record<string, string> = {
  both: 'Seen at both ends. The figures are the caller’s, time on the network included.',
  client: 'Seen at the caller only: the other end is not on this host.',
  server: 'Seen at the callee only: the caller is not on this host.',
}

/** Each protocol has its own golden signals. */
function EdgePanel({ view, edges, flows, seconds }: { view: MapView; edges: readonly FoldedEdge[]; flows: readonly Flow[]; seconds: number }) {
  const [calls] = bundleEdges(edges)
  if (!calls) return null
  return (
    <>
      <h2>
        <SeverityMark severity={calls.severity} size={16} />
        <span className="panel-name">
          <Link to={serviceFrom(view, calls.client)}>{calls.client}</Link>
          <span className="faint"> → </span>
          <Link to={serviceFrom(view, calls.server)}>{calls.server}</Link>
        </span>
      </h2>
      {calls.edges.length > 1 && (
        <p className="faint">
          {plural(calls.edges.length, calls.server === RESOLVERS ? 'resolver' : 'protocol')}, {formatRate(calls.rate)} and {formatRatio(calls.errorRatio)} errors in all.
        </p>
      )}
      {calls.edges.map((edge) => (
        <section key={`${edge.protocol} ${edge.of ?? ''}`} className="edge-protocol" aria-label={edge.of ?? protocolName(edge.protocol)}>
          <p className="map-panel-badges">
            <span className="badge">
              <KindIcon kind={edge.kind} width={12} height={12} /> {protocolName(edge.protocol)}
            </span>
            {edge.of && <span className="badge">{edge.of}</span>}
            {edge.client === edge.server && <span className="badge">calls itself</span>}
            <OffersLink view={view} edge={edge} />
          </p>
          {edge.protocol === 'tls' && <Encrypted flows={flows} />}
          <ReasonsList reasons={edge.reasons} />
          <GoldenSignals red={edge.red} reasons={edge.reasons} />
          <p className="faint">{SEEN[edge.seen] ?? ''}</p>
        </section>
      ))}
      {flows.length > 0 && <Connections flows={flows} seconds={seconds} />}
    </>
  )
}

/** What is inside stays unknown; its requests below are handshakes. */
function Encrypted({ flows }: { flows: readonly Flow[] }) {
  return (
    <>
      <ServerNames names={[...new Set(flows.flatMap((f) => f.serverNames))]} />
      <p className="faint">Encrypted, by a library whose plain text Sonde does not read. These are the handshakes:</p>
    </>
  )
}

/** To what is asked over this edge. */
function OffersLink({ view, edge }: { view: MapView; edge: FoldedEdge }) {
  const page = pageOf(edge.kind)
  if (!page) return null
  const what = { databases: 'Statements', queues: 'Destinations', dns: 'Names', rpc: 'Methods' }[page]
  return <Link to={offersFrom(view, page, edge.of ?? edge.server)}>{what}</Link>
}
