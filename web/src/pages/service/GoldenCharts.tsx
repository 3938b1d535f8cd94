import { useMemo } from 'react'
import type { ServiceReply } from '../../api/service'
import { Chart } from '../../components/chart/Chart'
import { formatDuration, formatRate, formatRatio } from '../../lib/format'
import { hasValues, sortStatuses, statusColors } from '../../lib/series'

export interface GoldenChartsProps {
  reply: ServiceReply
  onSelect: (start: number, end: number) => void
}

export function GoldenCharts({ reply, onSelect }: GoldenChartsProps) {
  const { series, range, slowThreshold } = reply
  const red = reply.side === 'client' ? reply.service.client : reply.service.server
  const byStatus = useMemo(() => {
    const statuses = sortStatuses(Object.keys(series.status)).filter((status) => hasValues(series.status[status] ?? []))
    if (statuses.length === 0) return [{ label: 'all', color: '--chart-2xx', values: series.rate }]
    const colors = statusColors(statuses, red?.errorsByType)
    return statuses.map((status, i) => ({ label: status === 'none' ? 'no status' : status, color: colors[i] ?? '--chart-other', values: series.status[status] ?? [] }))
  }, [series, red])
  const latency = useMemo(
    () => [
      { label: 'P50', color: '--chart-p50', values: series.p50 },
      { label: 'P90', color: '--chart-p90', values: series.p90 },
      { label: 'P95', color: '--chart-p95', values: series.p95 },
      { label: 'P99', color: '--chart-p99', values: series.p99 },
    ],
    [series],
  )
  const errors = useMemo(() => [{ label: 'failed', color: '--chart-5xx', values: series.errorRatio }], [series])
  const slow = useMemo(() => [{ label: `over ${formatDuration(slowThreshold)}`, color: '--chart-p99', values: series.slow }], [series, slowThreshold])
  const shared = { time: series.time, start: range.start, end: range.end, onSelect }
  return (
    <div className="charts">
      <Chart {...shared} title="Requests" note="by status" series={byStatus} kind="stacked" format={formatRate} />
      <Chart {...shared} title="Duration" kind="lines" series={latency} format={formatDuration} threshold={slowThreshold} />
      <Chart {...shared} title="Errors" note="share of requests" kind="area" series={errors} format={formatRatio} />
      <Chart {...shared} title="Slow requests" kind="area" series={slow} format={formatRate} />
    </div>
  )
}
