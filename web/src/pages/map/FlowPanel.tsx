import type { Flow } from '../../api/topology'
import { navigate } from '../../components/navigation'
import { addUpFlows, bytesOf, type FlowSum } from '../../lib/flows'
import { formatBytes, formatCount, formatDuration, NONE, plural } from '../../lib/format'
import { edgeId, groupBy } from '../../lib/graph'
import { protocolName } from '../../lib/protocol'
import type { MapView } from '../../lib/url'

/** Connections of which nothing but bytes is known, or the handshake. */
export function FlowPanel({ flow, seconds }: { flow: FlowSum; seconds: number }) {
  const protocols = [...new Set(flow.flows.map((f) => f.protocol))]
  const isFolded = !flow.flows.some((f) => f.client === flow.client && f.seen !== 'server') && /^\d+ clients of /.test(flow.client)
  return (
    <>
      <h2>
        <span className="panel-name">
          {flow.client}
          <span className="faint"> → </span>
          {flow.server}
        </span>
      </h2>
      <p className="map-panel-badges">
        {protocols.map((protocol) => (
          <span key={protocol} className="badge">
            {protocolName(protocol)}
          </span>
        ))}
        <span className="badge">{isFolded ? 'clients elsewhere' : 'no requests seen'}</span>
      </p>
      <ServerNames names={flow.serverNames} />
      <p className="faint">{WHY[flow.protocol] ?? `${protocolName(flow.protocol)}, but no request ended in this time range.`}</p>
      <Connections flows={flow.flows} seconds={seconds} isAlone />
    </>
  )
}

const WHY: Record<string, string> = {
  tcp: 'A protocol that Sonde does not read, or connections that said nothing since Sonde started. What TCP itself knows is exact.',
  tls: 'Encrypted, by a library whose plain text Sonde does not read. The server name is from the handshake, if that was seen.',
}

export function ServerNames({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <dl className="golden">
      <dt title="As the client asked for it in the TLS handshake (SNI)">Server name</dt>
      <dd className="server-names">{names.join(', ')}</dd>
    </dl>
  )
}

interface ConnectionsProps {
  flows: readonly Flow[]
  seconds: number
  /** There are no calls above it. */
  isAlone?: boolean
}

/** The TCP connections below the calls: resets and lost packets explain what the calls only suffer. */
export function Connections({ flows, seconds, isAlone = false }: ConnectionsProps) {
  const sum = addUpFlows(flows)
  const unknown = flows.filter((f) => f.protocol === 'tcp')
  const seen = flows.every((f) => f.seen === 'server') ? 'Seen at the callee only: the caller is not on this host.' : ''
  return (
    <section className="edge-connections" aria-label="Connections">
      <h3>TCP connections</h3>
      <dl className="golden">
        <dt>To the server</dt>
        <dd title={formatBytes(sum.requestBytes)}>
          {formatBytes(sum.requestBytes / seconds)}/s <span className="faint">{formatBytes(sum.requestBytes)}</span>
        </dd>
        <dt>From the server</dt>
        <dd title={formatBytes(sum.responseBytes)}>
          {formatBytes(sum.responseBytes / seconds)}/s <span className="faint">{formatBytes(sum.responseBytes)}</span>
        </dd>
        <dt title="In this time range; connections may be older">Opened</dt>
        <dd>{formatCount(sum.opened)}</dd>
        <dt title="Connections that ended with a reset">Reset</dt>
        <dd>{formatCount(sum.resets)}</dd>
        <dt title="Segments sent again, because they or their acknowledgement were lost or late">Retransmits</dt>
        <dd>{formatCount(sum.retransmits)}</dd>
        <dt title="Smoothed round-trip time of TCP, the mean over the connections that were busy last">Round trip</dt>
        <dd>{sum.roundTrip === undefined ? NONE : formatDuration(sum.roundTrip)}</dd>
      </dl>
      {!isAlone && unknown.length > 0 && <p className="faint">{formatBytes(bytesOf(addUpFlows(unknown)))} of it in a protocol that Sonde does not read.</p>}
      {isAlone && seen && <p className="faint">{seen}</p>}
    </section>
  )
}

/** What a service exchanges with others besides calls. */
export function FlowList({ view, flows, id, seconds }: { view: MapView; flows: readonly FlowSum[]; id: string; seconds: number }) {
  const mine = flows.filter((f) => f.client === id || f.server === id)
  if (mine.length === 0) return null
  const groups = groupBy(mine, (f) => f.client === id)
  return [false, true].map((isOut) => {
    const list = groups.get(isOut) ?? []
    if (list.length === 0) return null
    return (
      <section key={String(isOut)} aria-label={isOut ? 'Connects to' : 'Connected from'}>
        <h3>
          {isOut ? 'Connects to' : 'Connected from'} <span className="faint">{plural(list.length, 'raw flow')}</span>
        </h3>
        <ul className="call-list flow-list">
          {list.map((flow) => (
            <li key={edgeId(flow)}>
              <button type="button" onClick={() => navigate({ ...view, selected: edgeId(flow) })}>
                <span className="call-name">
                  <span className="ellipsis">{isOut ? flow.server : flow.client}</span>
                  <span className="ellipsis call-protocol">{protocolName(flow.protocol)}</span>
                </span>
                <span>{formatBytes(bytesOf(flow) / seconds)}/s</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
    )
  })
}
