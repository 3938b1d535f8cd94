import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useRangeQuery } from './client'
import type { Loss, Range, Reason, RED, Severity } from './types'

export interface Service {
  name: string
  external: boolean
  language?: string
  protocols: string[]
  instances: number
  server?: RED
  client?: RED
  severity: Severity
  reasons: Reason[]
  spark: number[]
  sparkError: number[]
  firstSeen?: number
  lastSeen?: number
}

/** Services come ranked by what is wrong, worst first. */
export interface ServicesReply {
  range: Range
  services: Service[]
  abnormal: number
  total: number
  loss: Loss
}

export function useServices() {
  const { key, fetch, refetchInterval } = useRangeQuery()
  return useQuery({
    queryKey: ['services', key],
    queryFn: ({ signal }) => fetch<ServicesReply>('/api/services', {}, signal),
    placeholderData: keepPreviousData,
    refetchInterval,
  })
}
