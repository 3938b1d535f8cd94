import { useQuery } from '@tanstack/react-query'
import { get } from './client'

export interface Probe {
  name: string
  state: string
  detail?: string
  programs: number
  runs: number
  nanosPerRun: number
  missed: number
  memoryBytes: number
  eventsPerSec: number
}

export interface StatusRates {
  events: number
  exchanges: number
  bytes: number
}

export interface StatusMemory {
  rss: number
  bound: number
  bpf: number
  heap: number
}

export interface StatusStore {
  series: number
  samples: number
  diskBytes: number
  diskBound: number
  retentionSecs: number
  oldest: number
  fsyncInterval: number
}

export interface StatusContent {
  enabled: boolean
  kept: number
  dropped: Record<string, number>
  records: number
  diskBytes: number
  diskBound: number
  retentionSecs: number
  oldest: number
}

export interface StatusReply {
  version: string
  host: string
  kernel: string
  startedAt: number
  now: number
  tier: string
  tierReason: string
  flushInterval: number
  probes: Probe[]
  lost: Record<string, number>
  rates: StatusRates
  memory: StatusMemory
  cpuSeconds: number
  connections: number
  processes: number
  store: StatusStore
  selection: string
  ignore: string
  ignored: number
  content: StatusContent
}

/** Status describes now, whatever range the page shows. */
export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => get<StatusReply>('/api/status', {}, signal),
    refetchInterval: 5_000,
  })
}
