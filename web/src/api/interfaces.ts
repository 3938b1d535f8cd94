import { useQuery } from '@tanstack/react-query'
import { useRangeQuery } from './client'
import type { Interface } from './service'
import type { Loss, Range, Reason, RED, Severity } from './types'

export interface Caller {
  name: string
  red: RED
}

/** One operation on one target of one service, by whomever it is called. */
export interface Offer extends Interface {
  service: string
  seen: string
  callers: Caller[]
}

/** A service that answers to one protocol. */
export interface Offerer {
  service: string
  external: boolean
  protocol: string
  kind: string
  callers: string[]
  red: RED
  severity: Severity
  reasons: Reason[]
}

/** A number that goes up and down, of one target and one client, as it was at the end of the range. */
export interface Level {
  service: string
  protocol: string
  target: string
  name: string
  client: string
  /** Who it is of, where the client says: a consumer group. */
  group?: string
  value: number
}

/** Offers come by the time spent in them, most first. */
export interface InterfacesReply {
  range: Range
  kinds: string[]
  protocols: string[]
  offerers: Offerer[]
  offers: Offer[]
  levels: Level[]
  total: number
  loss: Loss
}

/** More rows than anybody reads; the reply says how many there are. */
const LIMIT = 2000

export function useInterfaces(kinds: readonly string[]) {
  const { key, fetch, refetchInterval } = useRangeQuery()
  const kind = kinds.join(',')
  return useQuery({
    queryKey: ['interfaces', kind, key],
    queryFn: ({ signal }) => fetch<InterfacesReply>('/api/interfaces', { kind, limit: String(LIMIT) }, signal),
    placeholderData: (previous, query) => (query?.queryKey[1] === kind ? previous : undefined),
    refetchInterval,
  })
}
