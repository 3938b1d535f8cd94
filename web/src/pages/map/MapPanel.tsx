import { Button } from '@mantine/core'
import type { Edge, Flow, Node, TopologyReply } from '../../api/topology'
import { GoldenSignals } from '../../components/GoldenSignals'
import { CloseIcon, FocusIcon, KindIcon } from '../../components/icons'
import { Link, navigate } from '../../components/navigation'
import { LanguageBadge } from '../../components/Panel'
import { ReasonsList, SeverityMark } from '../../components/Severity'
import { formatBytes, formatCount, formatDuration, formatRate, formatRatio, languageName, plural } from '../../lib/format'
import { bundleEdges } from '../../lib/bundle'
import { edgeId } from '../../lib/graph'
import { isBackend, pageOf, protocolName } from '../../lib/protocol'
import { offersFrom, serviceFrom, type MapView } from '../../lib/url'

export interface MapPanelProps {
  view: MapView
  reply: TopologyReply
  selected: string
}

export function MapPanel({ view, reply, selected }: MapPanelProps) {
  const node = reply.nodes.find((n) => n.id === selected)
  const edges = reply.edges.filter((e) => edgeId(e) === selected)
  return (
    <aside className="map-panel" aria-label="Details">
      <button type="button" className="map-panel-close" aria-label="Close" onClick={() => navigate({ ...view, selected: undefined })}>
        <CloseIcon />
      </button>
      {node ? <NodePanel view={view} reply={reply} node={node} /> : edges.length > 0 ? <EdgePanel view={view} edges={edges} flows={reply.flows.filter((f) => edgeId(f) === selected)} /> : <p className="faint">No traffic in this time range.</p>}
    </aside>
  )
}

function NodePanel({ view, reply, node }: { view: MapView; reply: TopologyReply; node: Node }) {
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
        {node.external ? <span className="badge badge-external">external</span> : <LanguageBadge name={languageName(node.language)} />}
        {node.kinds.some((kind) => kind !== 'http') &&
          node.protocols.map((protocol) => (
            <span key={protocol} className="badge">
              {protocolName(protocol)}
            </span>
          ))}
        {!node.external && <span className="badge">{plural(node.instances, 'instance')}</span>}
        {node.entry && <span className="badge">entry</span>}
      </p>
      <ReasonsList reasons={node.reasons} />
      {node.server ? <GoldenSignals red={node.server} reasons={node.reasons} /> : <p className="faint">{callers.length > 0 ? 'It was not observed itself. Its callers see:' : 'It serves no requests itself.'}</p>}
      <div className="map-panel-actions">
        {!node.external && (
          <Button component={Link} to={serviceFrom(view, node.id)} size="xs">
            Open service
          </Button>
        )}
        {page && isBackend(node.kinds[0]) && (
          <Button component={Link} to={offersFrom(view, page, node.id)} size="xs" variant={node.external ? 'filled' : 'default'}>
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
    </>
  )
}

function CallList({ view, title, edges, end }: { view: MapView; title: string; edges: readonly Edge[]; end: 'client' | 'server' }) {
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
          <li key={`${edgeId(edge)} ${edge.protocol}`}>
            <button type="button" onClick={() => navigate({ ...view, selected: edgeId(edge) })}>
              <SeverityMark severity={edge.severity} />
              <span className="call-name">
                <span className="ellipsis">{edge[end]}</span>
                {isMixed && edge.protocol !== 'http' && <span className="ellipsis call-protocol">{protocolName(edge.protocol)}</span>}
              </span>
              <span>{formatRate(edge.red.rate)}</span>
              <span className={edge.severity === 'ok' ? 'faint' : `text-${edge.severity}`}>{formatRatio(edge.red.errorRatio)}</span>
              <span className="faint">{formatDuration(edge.red.p95)}</span>
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
function EdgePanel({ view, edges, flows }: { view: MapView; edges: readonly Edge[]; flows: readonly Flow[] }) {
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
          {calls.edges.length} protocols, {formatRate(calls.rate)} and {formatRatio(calls.errorRatio)} errors in all.
        </p>
      )}
      {calls.edges.map((edge) => (
        <section key={edge.protocol} className="edge-protocol" aria-label={protocolName(edge.protocol)}>
          <p className="map-panel-badges">
            <span className="badge">
              <KindIcon kind={edge.kind} width={12} height={12} /> {protocolName(edge.protocol)}
            </span>
            {edge.client === edge.server && <span className="badge">calls itself</span>}
            <OffersLink view={view} edge={edge} />
          </p>
          <ReasonsList reasons={edge.reasons} />
          <GoldenSignals red={edge.red} reasons={edge.reasons} />
          <p className="faint">{SEEN[edge.seen] ?? ''}</p>
        </section>
      ))}
      {flows.length > 0 && <Connections flows={flows} />}
    </>
  )
}

/** The TCP connections below the calls: resets and lost packets explain what the calls only suffer. */
function Connections({ flows }: { flows: readonly Flow[] }) {
  const sum = (pick: (flow: Flow) => number) => flows.reduce((total, flow) => total + pick(flow), 0)
  const resets = sum((f) => f.resets)
  const unknown = flows.filter((f) => f.protocol === 'tcp')
  return (
    <section className="edge-connections" aria-label="Connections">
      <h3>TCP connections</h3>
      <dl className="golden">
        <dt>Opened</dt>
        <dd>{formatCount(sum((f) => f.opened))}</dd>
        <dt title="Connections that ended with a reset">Reset</dt>
        <dd>{formatCount(resets)}</dd>
        <dt title="Segments sent again, because they or their acknowledgement were lost or late">Retransmits</dt>
        <dd>{formatCount(sum((f) => f.retransmits))}</dd>
        <dt>Bytes in / out</dt>
        <dd>
          {formatBytes(sum((f) => f.requestBytes))} / {formatBytes(sum((f) => f.responseBytes))}
        </dd>
      </dl>
      {unknown.length > 0 && <p className="faint">{formatBytes(unknown.reduce((n, f) => n + f.requestBytes + f.responseBytes, 0))} of it in a protocol that Sonde does not read.</p>}
    </section>
  )
}

/** To what is asked over this edge. */
function OffersLink({ view, edge }: { view: MapView; edge: Edge }) {
  const page = pageOf(edge.kind)
  if (!page) return null
  const what = { databases: 'Statements', queues: 'Destinations', dns: 'Names', rpc: 'Methods' }[page]
  return <Link to={offersFrom(view, page, edge.server)}>{what}</Link>
}
