import { Handle, Position, type NodeProps } from '@xyflow/react'
import { memo } from 'react'
import type { Node } from '../../api/topology'
import { CloudIcon, EntryIcon, KindIcon } from '../../components/icons'
import { SeverityMark } from '../../components/Severity'
import { formatLatency, formatRate, formatRatio, languageName } from '../../lib/format'
import { isBackend, protocolName } from '../../lib/protocol'
import type { ServiceFlowNode } from './flow'

/** How much of it is drawn depends on the zoom, by the attribute data-detail of the map (map.css). */
export const ServiceNode = memo(function ServiceNode({ data }: NodeProps<ServiceFlowNode>) {
  const { node, called, moved, isCompact, isSelected, isDimmed, isFocus } = data
  const red = node.server
  const [kind] = node.kinds
  const errorReason = node.reasons.some((r) => r.signal === 'errors')
  const latencyReason = node.reasons.some((r) => r.signal === 'latency')
  return (
    <div
      className="node"
      data-severity={node.severity}
      data-external={node.external}
      data-compact={isCompact}
      data-selected={isSelected}
      data-dimmed={isDimmed}
      data-focus={isFocus}
      data-raw={moved !== undefined}
      data-node={node.id}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="node-title">
        <NodeIcon node={node} isQuiet={moved !== undefined} />
        <span className="node-name" title={node.id}>
          {node.id}
        </span>
        {!isCompact && <span className="node-language">{isBackend(kind) ? <Protocols node={node} /> : node.external ? 'external' : languageName(node.language)}</span>}
      </div>
      {red ? (
        <div className="node-figures">
          <span>{formatRate(red.rate)}</span>
          <span className={errorReason ? 'node-hot' : ''}>{formatRatio(red.errorRatio)}</span>
          <span className={latencyReason ? 'node-hot' : ''}>{formatLatency(red.p95)}</span>
        </div>
      ) : called ? (
        <div className="node-figures" title="As its callers see it">
          <span>{formatRate(called.rate)}</span>
          <span>{formatRatio(called.errorRatio)}</span>
        </div>
      ) : moved ? (
        <div className="node-figures node-entry" title="No request of it is known: what its connections moved">{moved}</div>
      ) : (
        <div className="node-figures node-entry">{node.entry ? 'traffic enters here' : 'only calls'}</div>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
})

/** A symptom goes before everything else. */
function NodeIcon({ node, isQuiet }: { node: Node; isQuiet: boolean }) {
  const [kind] = node.kinds
  if (node.severity !== 'ok') return <SeverityMark severity={node.severity} />
  if (isBackend(kind)) return <KindIcon kind={kind} />
  if (node.external) return <CloudIcon />
  if (node.protocols.length === 0 && !node.server && isQuiet) return <i className="node-unknown" title="Nothing is known of its health: no request was seen" />
  return node.entry ? <EntryIcon /> : <SeverityMark severity={node.severity} />
}

/** What a database or queue speaks tells more of it than the language it is written in. */
function Protocols({ node }: { node: Node }) {
  const [first = '', ...others] = node.protocols
  return (
    <span title={node.protocols.map(protocolName).join(', ')}>
      {protocolName(first)}
      {others.length > 0 && ` +${others.length}`}
    </span>
  )
}
