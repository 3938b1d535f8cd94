import { useQueryClient } from '@tanstack/react-query'
import { clockOffset, resolveRange } from '../lib/time'
import { useView } from '../components/navigation'
import { parseReply } from './parse'

/** What the user sees when a request fails: a sentence, and whether waiting may help. */
export class ApiError extends Error {
  readonly isUnreachable: boolean
  readonly status: number

  constructor(message: string, status: number, isUnreachable: boolean) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.isUnreachable = isUnreachable
  }
}

/** Every kind of failure becomes an ApiError with a sentence; the reply is trusted to have the shape of the contract. */
export async function get<T>(path: string, params: Record<string, string>, signal: AbortSignal, onDate?: (date: string | null) => void): Promise<T> {
  const query = new URLSearchParams(params).toString()
  let response: Response
  try {
    response = await fetch(query ? `${path}?${query}` : path, { signal, headers: { accept: 'application/json' } })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new ApiError('Sonde does not answer.', 0, true)
  }
  onDate?.(response.headers.get('date'))
  if (!response.ok) throw new ApiError(await errorText(response), response.status, response.status >= 502)
  const isJSON = response.headers.get('content-type')?.includes('json') ?? false
  if (!isJSON) throw new ApiError(`The reply of ${path} is not JSON: is this address really Sonde's?`, response.status, false)
  return parseReply(await response.text()) as T
}

async function errorText(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json()
    if (typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string') return body.error
  } catch {
    // Not JSON: a proxy in between, say. The status has to do.
  }
  return `Sonde answered ${response.status} ${response.statusText}`.trim() + '.'
}

/** How often a failed query tries again, whatever the refresh is set to. */
const RETRY_MS = 5_000

/** Where the offset of the server's clock is kept, in seconds. */
const CLOCK = ['clock']

/**
 * The page's time range as a stable query key and as start and end of now. A relative range keeps its key while its
 * start and end move, so that a refresh replaces the figures in place. "Now" is the server's: where the two clocks differ,
 * the first reply tells, and is asked for again.
 */
export function useRangeQuery() {
  const { view } = useView()
  const queries = useQueryClient()
  const range = view.range
  const key = range.kind === 'relative' ? `last ${range.seconds}` : `${range.start} ${range.end}`
  const refreshMs = range.kind === 'relative' && view.refresh > 0 ? view.refresh * 1000 : false
  return {
    key,
    fetch: async <T>(path: string, extra: Record<string, string>, signal: AbortSignal): Promise<T> => {
      const known = queries.getQueryData<number>(CLOCK) ?? 0
      let offset = known
      const ask = () => {
        const { start, end } = resolveRange(range, Date.now() / 1000 + offset)
        return get<T>(path, { start: String(start), end: String(end), ...extra }, signal, (date) => (offset = clockOffset(date, Date.now(), offset)))
      }
      const reply = await ask()
      if (offset === known || range.kind === 'absolute') return reply
      queries.setQueryData(CLOCK, offset)
      return ask()
    },
    refetchInterval: (query: { state: { status: string } }) => (query.state.status === 'error' ? RETRY_MS : refreshMs),
  }
}
