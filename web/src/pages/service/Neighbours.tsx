import type { Peer, ServiceReply } from '../../api/service'
import { CloudIcon, KindIcon } from '../../components/icons'
import { Link } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { SeverityMark } from '../../components/Severity'
import { formatLatency, formatRate, formatRatio } from '../../lib/format'
import { bumpPath, edgeWidth } from '../../lib/path'
import { isBackend, protocolName } from '../../lib/protocol'
import { mapFrom, serviceFrom, type ServiceView } from '../../lib/url'

const ROW = 46
const LINES_WIDTH = 84

/** Callers on the left, the service in the middle, dependencies on the right: its part of the map, with figures. */
export function Neighbours({ view, reply }: { view: ServiceView; reply: ServiceReply }) {
  const { callers, dependencies, service } = reply
  const height = Math.max(callers.length, dependencies.length, 1) * ROW
  return (
    <Panel title="Callers and dependencies" actions={<Link to={mapFrom(view, service.name)}>Focus on the map</Link>}>
      <div className="neighbours">
        <PeerList view={view} title="Called by" peers={callers} none="Nobody seen calling it." />
        <Lines peers={callers} height={height} isInto />
        <div className="neighbours-self" style={{ height }}>
          <div className="node" data-severity={service.severity}>
            <span className="node-name">{service.name}</span>
          </div>
        </div>
        <Lines peers={dependencies} height={height} isInto={false} />
        <PeerList view={view} title="Calls" peers={dependencies} none="It calls nobody." />
      </div>
    </Panel>
  )
}

function PeerList({ view, title, peers, none }: { view: ServiceView; title: string; peers: readonly Peer[]; none: string }) {
  return (
    <section aria-label={title}>
      <h3 className="neighbours-title">
        {title} <span className="faint">{peers.length}</span>
      </h3>
      {peers.length === 0 && <p className="faint neighbours-none">{none}</p>}
      <ul>
        {peers.map((peer) => (
          <li key={`${peer.name} ${peer.protocol}`} className="peer" style={{ height: ROW }}>
            <Link to={serviceFrom(view, peer.name)} title={peer.reasons.map((r) => r.text).join('\n')}>
              {peer.external ? isBackend(peer.kind) ? <KindIcon kind={peer.kind} /> : <CloudIcon /> : <SeverityMark severity={peer.severity} />}
              <span className="ellipsis peer-name">
                {peer.name} {peer.protocol !== 'http' && <span className="peer-protocol">{protocolName(peer.protocol)}</span>}
              </span>
              <span className="tabular">{formatRate(peer.red.rate)}</span>
              <span className={`tabular ${peer.severity === 'ok' ? 'faint' : `text-${peer.severity}`}`}>{formatRatio(peer.red.errorRatio)}</span>
              <span className="tabular faint">{formatLatency(peer.red.p95)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Lines({ peers, height, isInto }: { peers: readonly Peer[]; height: number; isInto: boolean }) {
  return (
    <svg className="neighbours-lines" width={LINES_WIDTH} height={height} aria-hidden>
      {peers.map((peer, i) => {
        const outer = { x: isInto ? 0 : LINES_WIDTH, y: i * ROW + ROW / 2 }
        const inner = { x: isInto ? LINES_WIDTH : 0, y: height / 2 }
        return (
          <path
            key={`${peer.name} ${peer.protocol}`}
            className="call-line-static"
            data-severity={peer.severity}
            d={bumpPath(isInto ? [outer, inner] : [inner, outer])}
            strokeWidth={edgeWidth(peer.red.rate)}
          />
        )
      })}
    </svg>
  )
}
