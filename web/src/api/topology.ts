import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useRangeQuery } from './client'
import type { Loss, Range, Reason, RED, Severity } from './types'

export interface Node {
  id: string
  external: boolean
  entry: boolean
  language?: string
  kinds: string[]
  protocols: string[]
  instances: number
  server?: RED
  severity: Severity
  reasons: Reason[]
}

/** By one protocol. A service that calls itself has an edge to itself. */
export interface Edge {
  client: string
  server: string
  protocol: string
  kind: string
  seen: string
  red: RED
  severity: Severity
  reasons: Reason[]
}

/** What TCP connections between two services did; protocol is "tcp" where nobody recognised it. */
export interface Flow {
  client: string
  server: string
  protocol: string
  seen: string
  clientExternal: boolean
  serverExternal: boolean
  opened: number
  resets: number
  retransmits: number
  requestBytes: number
  responseBytes: number
  roundTrip: number
  serverNames: string[]
}

export interface TopologyReply {
  range: Range
  nodes: Node[]
  edges: Edge[]
  flows: Flow[]
  loss: Loss
}

export function useTopology() {
  const { key, fetch, refetchInterval } = useRangeQuery()
  return useQuery({
    queryKey: ['topology', key],
    queryFn: ({ signal }) => fetch<TopologyReply>('/api/topology', {}, signal),
    placeholderData: keepPreviousData,
    refetchInterval,
  })
}
