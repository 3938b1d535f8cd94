import { EdgeLabelRenderer, type EdgeProps } from '@xyflow/react'
import { memo } from 'react'
import { HIT_WIDTH } from './CallEdge'
import { flowLabel, RAW_WIDTH, type RawFlowEdge } from './flow'

/** Connections without a request that is known: thin and dashed, so that it is no call at a glance. */
export const FlowEdge = memo(function FlowEdge({ id, data }: EdgeProps<RawFlowEdge>) {
  if (!data) return null
  const { flow, seconds, path, label, isLabelled, isSelected, isDimmed } = data
  return (
    <>
      <g className="call call-raw" data-severity="ok" data-selected={isSelected} data-dimmed={isDimmed} data-flow={id} data-client={flow.client} data-server={flow.server}>
        <path className="call-hit" d={path} fill="none" strokeWidth={HIT_WIDTH} />
        <path className="call-line" d={path} fill="none" strokeWidth={RAW_WIDTH} markerEnd={`url(#arrow-${isSelected ? 'selected' : 'ok'})`} />
      </g>
      {isLabelled && (
        <EdgeLabelRenderer>
          <div
            className="call-label call-label-raw"
            data-severity="ok"
            data-selected={isSelected}
            data-dimmed={isDimmed}
            style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}
          >
            {flowLabel(flow, seconds)}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})
