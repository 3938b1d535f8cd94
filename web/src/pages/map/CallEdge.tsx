import { EdgeLabelRenderer, type EdgeProps } from '@xyflow/react'
import { memo } from 'react'
import { formatLatency, formatRate, formatRatio } from '../../lib/format'
import { protocolName } from '../../lib/protocol'
import { flowLabel, type CallFlowEdge, type Calls } from './flow'

/** Wide enough to hit with a mouse. */
export const HIT_WIDTH = 16

export const CallEdge = memo(function CallEdge({ id, data }: EdgeProps<CallFlowEdge>) {
  if (!data) return null
  const { calls, path, label, width, isCrowded, isLabelled, isSelected, isDimmed, encrypted, seconds } = data
  const isTold = calls.edges.some(({ protocol }) => protocol !== 'http')
  const state = calls.severity
  return (
    <>
      <g className={encrypted ? 'call call-raw' : 'call'} data-severity={state} data-selected={isSelected} data-dimmed={isDimmed} data-edge={id} data-client={calls.client} data-server={calls.server}>
        <path className="call-hit" d={path} fill="none" strokeWidth={HIT_WIDTH} />
        <path className="call-line" d={path} fill="none" strokeWidth={width} markerEnd={`url(#arrow-${isSelected && state === 'ok' ? 'selected' : state})`} />
      </g>
      {isLabelled && (
        <EdgeLabelRenderer>
          <div
            className={encrypted ? 'call-label call-label-raw' : 'call-label'}
            data-severity={state}
            data-selected={isSelected}
            data-dimmed={isDimmed}
            style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}
          >
            {encrypted ? (
              flowLabel(encrypted, seconds)
            ) : (
              <>
                {isTold && <span className="call-protocols">{protocolsOf(calls)} </span>}
                {formatRate(calls.rate)}
              </>
            )}
            <span className="call-label-more">{more(calls, isTold && (isCrowded || encrypted !== undefined))}</span>
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

/** HTTP alone needs no telling. More than two are too long for a line: its panel has them all. */
function protocolsOf({ edges }: Calls): string {
  const names = edges.map(({ protocol }) => protocolName(protocol))
  return names.length > 2 ? `${names.slice(0, 2).join('+')} +${names.length - 2}` : names.join('+')
}

/** What is wrong, otherwise how long it takes, if there is room. */
function more({ severity, errorRatio, p95 }: Calls, isShort: boolean): string {
  if (severity !== 'ok' && errorRatio >= 0.01) return ` · ${formatRatio(errorRatio)}`
  if (isShort && severity === 'ok') return ''
  return p95 ? ` · ${formatLatency(p95)}` : ''
}

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
