import type { Reason, RED } from '../api/types'
import { formatBytes, formatCount, formatExact, formatLatency, formatRate, formatRatio } from '../lib/format'

export interface GoldenSignalsProps {
  red: RED
  reasons: readonly Reason[]
}

/** Rate, errors, duration as a list of terms; what a reason names is marked. */
export function GoldenSignals({ red, reasons }: GoldenSignalsProps) {
  const tone = (signal: string) => {
    const reason = reasons.find((r) => r.signal === signal)
    return reason ? `text-${reason.severity} strong` : ''
  }
  const types = Object.entries(red.errorsByType ?? {}).sort((a, b) => b[1] - a[1])
  return (
    <dl className="golden">
      <dt>Requests</dt>
      <dd title={`${formatExact(red.requests)} in this time range`}>
        {formatRate(red.rate)} <span className="faint">{formatCount(red.requests)}</span>
      </dd>
      <dt>Errors</dt>
      <dd className={tone('errors')}>
        {formatRatio(red.errorRatio)} <span className="faint">{formatCount(red.errors)}</span>
      </dd>
      {types.slice(0, 4).map(([type, count]) => (
        <div key={type} className="golden-sub">
          <dt>{type}</dt>
          <dd>{formatCount(count)}</dd>
        </div>
      ))}
      <dt>P50</dt>
      <dd>{formatLatency(red.p50)}</dd>
      <dt>P90</dt>
      <dd>{formatLatency(red.p90)}</dd>
      <dt>P95</dt>
      <dd className={tone('latency')}>{formatLatency(red.p95)}</dd>
      <dt>P99</dt>
      <dd>{formatLatency(red.p99)}</dd>
      <dt>Slow</dt>
      <dd className={tone('slow')}>{formatCount(red.slow)}</dd>
      {/* Bytes are not counted for each statement of a database. */}
      {red.requestBytes + red.responseBytes > 0 && (
        <>
          <dt>Bytes in / out</dt>
          <dd>
            {formatBytes(red.requestBytes)} / {formatBytes(red.responseBytes)}
          </dd>
        </>
      )}
      {red.untimed !== undefined && red.untimed > 0 && (
        <>
          <dt title="They wait on purpose (a long poll, a blocking pop), or get no response: there is no service time, so the percentiles leave them out">Not timed</dt>
          <dd>{formatCount(red.untimed)}</dd>
        </>
      )}
      {red.partial > 0 && (
        <>
          <dt title="Counted, but with incomplete facts: joined in the middle, or bytes were lost">Partial</dt>
          <dd>{formatCount(red.partial)}</dd>
        </>
      )}
    </dl>
  )
}
