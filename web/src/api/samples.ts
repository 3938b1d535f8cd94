import { useQuery } from '@tanstack/react-query'
import { useRangeQuery } from './client'
import type { Range } from './types'

/** A slow or failed request. The secrets were taken out of its texts before they were stored. */
export interface Sample {
  time: number
  duration: number
  slow: boolean
  failed: boolean
  service: string
  instance: string
  side: string
  peer: string
  protocol: string
  kind: string
  operation: string
  target: string
  status: string
  error: string
  partial: boolean
  requestBytes: number
  responseBytes: number
  attributes: Record<string, string>
  request: string
  response: string
  requestCut: boolean
  responseCut: boolean
}

export interface SamplesReply {
  range: Range
  enabled: boolean
  slowThreshold: number
  samples: Sample[]
  more: boolean
}

export type SampleKind = 'all' | 'slow' | 'failed'

/** How many are asked for: more than anybody reads at once. */
const LIMIT = 20

export function useSamples(service: string, side: string, kind: SampleKind) {
  const { key, fetch, refetchInterval } = useRangeQuery()
  return useQuery({
    queryKey: ['samples', service, side, kind, key],
    queryFn: ({ signal }) => fetch<SamplesReply>('/api/samples', { service, side, limit: String(LIMIT), ...(kind === 'all' ? {} : { kind }) }, signal),
    placeholderData: (previous, query) => (query?.queryKey[1] === service && query.queryKey[2] === side ? previous : undefined),
    refetchInterval,
  })
}
