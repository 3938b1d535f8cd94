import type { Probe } from '../../api/status'
import { DataTable, type Column } from '../../components/DataTable'
import { Panel } from '../../components/Panel'
import { formatBytes, formatCount, formatExact, formatRate, NONE } from '../../lib/format'

const TONES: Record<string, string> = { running: 'state-running', failed: 'state-failed', stopped: 'state-off', unsupported: 'state-off' }

const COLUMNS: Column<Probe>[] = [
  { id: 'name', title: 'Probe', width: '130px', cell: (p) => <span className="strong">{p.name}</span> },
  { id: 'state', title: 'State', width: '130px', cell: (p) => <span className={`state ${TONES[p.state] ?? 'state-off'}`}>{p.state}</span> },
  { id: 'detail', title: 'Where', cell: (p) => <span className="faint" title={p.detail}>{p.detail}</span> },
  { id: 'programs', title: 'Programs', width: '84px', isNumber: true, cell: (p) => formatExact(p.programs) },
  { id: 'events', title: 'Events', width: '96px', isNumber: true, cell: (p) => formatRate(p.eventsPerSec) },
  { id: 'runs', title: 'Runs', width: '90px', isNumber: true, hint: 'Executions since start, where the kernel counts them', cell: (p) => (p.runs > 0 ? formatCount(p.runs) : NONE) },
  { id: 'nanos', title: 'Per run', width: '90px', isNumber: true, hint: 'Average time of one execution, where the kernel measures it', cell: (p) => (p.nanosPerRun > 0 ? `${formatCount(Math.round(p.nanosPerRun))} ns` : NONE) },
  { id: 'missed', title: 'Missed', width: '80px', isNumber: true, hint: 'Executions that the kernel skipped', cell: (p) => <span className={p.missed > 0 ? 'cell-warm' : 'cell-zero'}>{formatExact(p.missed)}</span> },
  { id: 'memory', title: 'Memory', width: '96px', isNumber: true, cell: (p) => formatBytes(p.memoryBytes) },
]

export function Probes({ probes }: { probes: readonly Probe[] }) {
  return (
    <Panel title="Probes" isFlush>
      <DataTable label="Probes" columns={COLUMNS} rows={probes} rowKey={(p) => p.name} rowHeight={38} />
      {probes.length === 0 && <p className="table-empty">No probe is loaded. `sonde preflight` says what is missing.</p>}
    </Panel>
  )
}
