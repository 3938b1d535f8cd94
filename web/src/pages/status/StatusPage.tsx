import './status.css'
import type { ReactNode } from 'react'
import { useStatus, type StatusReply } from '../../api/status'
import { Panel } from '../../components/Panel'
import { ErrorMessage, LoadingRows } from '../../components/States'
import { formatBytes, formatCount, formatDuration, formatExact, formatRate, formatRatio, formatSpan } from '../../lib/format'
import { explainLoss } from '../../lib/loss'
import { clock } from '../../lib/time'
import { Probes } from './Probes'

export default function StatusPage() {
  const query = useStatus()
  if (query.data) return <Status status={query.data} />
  if (query.error) return <ErrorMessage error={query.error} retry={() => void query.refetch()} />
  return <LoadingRows rows={4} height={180} />
}

function Status({ status }: { status: StatusReply }) {
  const uptime = Math.max(0, status.now - status.startedAt)
  return (
    <div className="status">
      <div className="page-head">
        <h1>{status.host}</h1>
        <span className="badge">Sonde {status.version}</span>
        <span className="sub">
          Linux {status.kernel} · running for {formatSpan(uptime)}
        </span>
      </div>
      <div className="status-grid">
        <Panel title="Capture">
          <Facts
            rows={[
              ['Tier', TIERS[status.tier] ?? status.tier],
              ['Why', status.tierReason],
              ['Observed', status.selection],
              ['Not counted', status.ignore === '' ? 'nothing is ignored' : `${status.ignore}: ${formatExact(status.ignored)} requests`],
              ['Connections', formatExact(status.connections)],
              ['Processes', formatExact(status.processes)],
            ]}
          />
        </Panel>
        <Panel title="Now" note={`averages of the last ${formatSpan(status.flushInterval)}`}>
          <Facts
            rows={[
              ['Requests', formatRate(status.rates.exchanges)],
              ['Kernel events', formatRate(status.rates.events)],
              ['Copied from the kernel', `${formatBytes(status.rates.bytes)}/s`],
              ['CPU since start', `${formatDuration(status.cpuSeconds)} · ${formatRatio(uptime > 0 ? status.cpuSeconds / uptime : 0)} of a core`],
              ['Figures are fresh within', formatSpan(status.flushInterval + 2)],
            ]}
          />
        </Panel>
        <Panel title="Memory">
          <Meter label="In use" value={status.memory.rss} bound={status.memory.bound} />
          <Facts
            rows={[
              ['Go heap', formatBytes(status.memory.heap)],
              ['BPF maps and buffers', formatBytes(status.memory.bpf)],
            ]}
          />
        </Panel>
        <Panel title="Store">
          <Meter label="On disk" value={status.store.diskBytes} bound={status.store.diskBound} />
          <Facts
            rows={[
              ['Series', formatExact(status.store.series)],
              ['Samples since start', formatCount(status.store.samples)],
              ['Keeps', formatSpan(status.store.retentionSecs)],
              ['Oldest', status.store.oldest > 0 ? clock(status.store.oldest, true) : 'nothing yet'],
              ['A power cut may cost', `the last ${formatSpan(status.store.fsyncInterval)}`],
            ]}
          />
        </Panel>
      </div>
      <Content content={status.content} />
      <Probes probes={status.probes} />
      <LossTable lost={status.lost} uptime={uptime} />
    </div>
  )
}

/** What is kept of slow and failed requests, and what was not, by cause. */
function Content({ content }: { content: StatusReply['content'] }) {
  if (!content.enabled) {
    return (
      <Panel title="Slow and failed requests">
        <p className="faint">What requests said is not kept: Sonde was started with --content=false.</p>
      </Panel>
    )
  }
  const dropped = Object.entries(content.dropped).filter(([, n]) => n > 0)
  return (
    <Panel title="Slow and failed requests" note="what they said, secrets taken out">
      <Meter label="On disk" value={content.diskBytes} bound={content.diskBound} />
      <Facts
        rows={[
          ['Kept since start', formatExact(content.kept)],
          ['Not kept', dropped.length === 0 ? 'none' : dropped.map(([cause, n]) => `${formatExact(n)} ${DROPPED[cause] ?? cause}`).join(', ')],
          ['On disk', `${formatExact(content.records)}, for ${formatSpan(content.retentionSecs)}`],
          ['Oldest', content.oldest > 0 ? clock(content.oldest, true) : 'nothing yet'],
        ]}
      />
    </Panel>
  )
}

const DROPPED: Record<string, string> = {
  service_rate: 'above the rate of their service',
  host_rate: 'above the rate of the host',
  queue: 'while too many waited',
  store: 'refused by the store',
  memory: 'without their text, for want of memory',
}

const TIERS: Record<string, string> = {
  socket: 'Socket tracepoints: no cost for anything but socket calls',
  syscall: 'System-call tracepoints: works on older kernels, costs more',
}

function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="tabular">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Meter({ label, value, bound }: { label: string; value: number; bound: number }) {
  const ratio = bound > 0 ? Math.min(1, value / bound) : 0
  return (
    <div className="meter">
      <div>
        <span className="strong tabular">{formatBytes(value)}</span>
        <span className="faint tabular"> {bound > 0 ? `of at most ${formatBytes(bound)}` : label}</span>
        <span className="meter-ratio tabular">{bound > 0 ? formatRatio(ratio) : ''}</span>
      </div>
      <meter min={0} max={1} high={0.9} value={ratio} aria-label={label} data-high={ratio > 0.9} style={{ '--ratio': ratio }} />
    </div>
  )
}

function LossTable({ lost, uptime }: { lost: Record<string, number>; uptime: number }) {
  const rows = explainLoss(lost)
  return (
    <Panel title="Loss by cause" note={`since start, ${formatSpan(uptime)}`} isFlush>
      {rows.length === 0 ? (
        <p className="table-empty">Nothing lost: every figure is exact.</p>
      ) : (
        <table className="table loss-table" aria-label="Loss by cause">
          <thead>
            <tr>
              <th scope="col">Cause</th>
              <th scope="col">Effect</th>
              <th scope="col" className="number">Count</th>
              <th scope="col">What it means</th>
              <th scope="col">What to do</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.cause}>
                <td>
                  <span className="strong">{row.title}</span>
                  <code className="faint">{row.cause}</code>
                </td>
                <td>
                  <span className={row.isUndercount ? 'tag tag-warning' : 'tag'}>{row.isUndercount ? 'not counted' : 'less detail'}</span>
                </td>
                <td className="number strong">{formatExact(row.count)}</td>
                <td>{row.meaning}</td>
                <td>{row.remedy}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
