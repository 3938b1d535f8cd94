import { useQuery } from '@tanstack/react-query'
import { useRangeQuery } from './client'
import type { Service } from './services'
import type { Loss, Range, Reason, RED, Severity } from './types'

export interface Interface {
  protocol: string
  kind: string
  operation: string
  target: string
  peer?: string
  statuses: Record<string, number>
  counts: Record<string, number>
  time: number
  red: RED
}

export interface Peer {
  name: string
  external: boolean
  protocol: string
  kind: string
  red: RED
  severity: Severity
  reasons: Reason[]
}

export interface Instance {
  id: string
  pid?: number
  executable?: string
  language?: string
  containerId?: string
  unit?: string
  host?: string
  server?: RED
  client?: RED
  severity: Severity
  reasons: Reason[]
  rate: (number | null)[]
  p95: (number | null)[]
  errorRatio: (number | null)[]
}

/** All arrays are aligned with time; null where there is no data. */
export interface Series {
  time: number[]
  rate: (number | null)[]
  errors: (number | null)[]
  errorRatio: (number | null)[]
  slow: (number | null)[]
  p50: (number | null)[]
  p90: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
  status: Record<string, (number | null)[]>
}

export interface ServiceReply {
  range: Range
  service: Service
  side: string
  slowThreshold: number
  series: Series
  interfaces: Interface[]
  calls: Interface[]
  callers: Peer[]
  dependencies: Peer[]
  instances: Instance[]
  loss: Loss
}

/** side undefined lets the server choose: served where the service serves anything. */
export function useService(name: string, side: 'server' | 'client' | undefined) {
  const { key, fetch, refetchInterval } = useRangeQuery()
  return useQuery({
    queryKey: ['service', name, side ?? 'auto', key],
    queryFn: ({ signal }) =>
      fetch<ServiceReply>(`/api/services/${encodeURIComponent(name)}`, side ? { side } : {}, signal),
    // Another service's figures must never stand under this one's name; another range's or side's may, for a moment.
    placeholderData: (previous, query) => (query?.queryKey[1] === name ? previous : undefined),
    refetchInterval,
  })
}
