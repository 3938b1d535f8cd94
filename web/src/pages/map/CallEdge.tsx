import { EdgeLabelRenderer, type EdgeProps } from '@xyflow/react'
import { memo } from 'react'
import { formatDuration, formatRate, formatRatio } from '../../lib/format'
import type { CallFlowEdge } from './flow'

/** Wide enough to hit with a mouse. */
const HIT_WIDTH = 16

export const CallEdge = memo(function CallEdge({ id, data }: EdgeProps<CallFlowEdge>) {
  if (!data) return null
  const { edge, path, label, width, isLabelled, isSelected, isDimmed } = data
  const state = edge.severity === 'ok' ? 'ok' : edge.severity
  return (
    <>
      <g className="call" data-severity={state} data-selected={isSelected} data-dimmed={isDimmed} data-edge={id} data-client={edge.client} data-server={edge.server}>
        <path className="call-hit" d={path} fill="none" strokeWidth={HIT_WIDTH} />
        <path className="call-line" d={path} fill="none" strokeWidth={width} markerEnd={`url(#arrow-${isSelected && state === 'ok' ? 'selected' : state})`} />
      </g>
      {isLabelled && (
        <EdgeLabelRenderer>
          <div
            className="call-label"
            data-severity={state}
            data-selected={isSelected}
            data-dimmed={isDimmed}
            style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}
          >
            {formatRate(edge.red.rate)}
            <span className="call-label-more"> · {edge.severity === 'ok' || edge.red.errorRatio < 0.01 ? formatDuration(edge.red.p95) : formatRatio(edge.red.errorRatio)}</span>
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

/** Arrow heads of constant size, whatever the width of the line. */
export function ArrowHeads() {
  return (
    <svg className="arrow-heads" aria-hidden>
      <defs>
        {['ok', 'warning', 'critical', 'selected'].map((state) => (
          <marker key={state} id={`arrow-${state}`} viewBox="0 0 8 8" refX="2.6" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto">
            <path d="M0 .6 7.4 4 0 7.4Z" className={`arrow-${state}`} />
          </marker>
        ))}
      </defs>
    </svg>
  )
}
