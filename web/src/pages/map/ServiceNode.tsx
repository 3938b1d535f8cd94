import { Handle, Position, type NodeProps } from '@xyflow/react'
import { memo } from 'react'
import { CloudIcon, EntryIcon } from '../../components/icons'
import { SeverityMark } from '../../components/Severity'
import { formatDuration, formatRate, formatRatio, languageName } from '../../lib/format'
import type { ServiceFlowNode } from './flow'

/** How much of it is drawn depends on the zoom, by the attribute data-detail of the map (map.css). */
export const ServiceNode = memo(function ServiceNode({ data }: NodeProps<ServiceFlowNode>) {
  const { node, isCompact, isSelected, isDimmed, isFocus } = data
  const red = node.server
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
      data-node={node.id}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="node-title">
        {node.external ? <CloudIcon /> : node.entry ? <EntryIcon /> : <SeverityMark severity={node.severity} />}
        <span className="node-name" title={node.id}>
          {node.id}
        </span>
        {!isCompact && <span className="node-language">{node.external ? 'external' : languageName(node.language)}</span>}
      </div>
      {red ? (
        <div className="node-figures">
          <span>{formatRate(red.rate)}</span>
          <span className={errorReason ? 'node-hot' : ''}>{formatRatio(red.errorRatio)}</span>
          <span className={latencyReason ? 'node-hot' : ''}>{formatDuration(red.p95)}</span>
        </div>
      ) : (
        <div className="node-figures node-entry">{node.entry ? 'traffic enters here' : 'only calls'}</div>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
})
