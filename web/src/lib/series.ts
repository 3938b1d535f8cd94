// Series of a chart: stacking, and what a legend shows.

export type Values = readonly (number | null)[]

/** Each series plus all before it; null where every one of them is null. */
export function stack(series: readonly Values[]): (number | null)[][] {
  const total: (number | null)[] = []
  return series.map((values) => {
    values.forEach((value, i) => {
      const below = total[i] ?? null
      total[i] = value === null ? below : (below ?? 0) + value
    })
    return [...total]
  })
}

/** The last value that is not null. */
export function latest(values: Values): number | null {
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i]
    if (value !== null && value !== undefined) return value
  }
  return null
}

export function hasValues(values: Values): boolean {
  return values.some((value) => value !== null && value !== 0)
}

/** The largest value of all series, 0 without any: a common scale for siblings. */
export function commonMax(series: readonly Values[]): number {
  return series.reduce((max, values) => values.reduce<number>((m, v) => Math.max(m, v ?? 0), max), 0)
}

/** "2xx" before "4xx" before "503"; anything without a number comes last. */
export function sortStatuses(statuses: readonly string[]): string[] {
  const rank = (status: string) => (/^\d/.test(status) ? status : `~${status}`)
  return [...statuses].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0))
}

/** What a status says: HTTP's by its first digit, any other is an error if errors were counted under its name. */
export type Tone = 'ok' | 'rejected' | 'failed'

export function statusTone(status: string, errors: Record<string, number> | undefined, isHTTP: boolean): Tone {
  if (isHTTP && /^[1-5](xx|\d\d)$/.test(status)) return status.startsWith('5') ? 'failed' : status.startsWith('4') ? 'rejected' : 'ok'
  return (errors?.[status] ?? 0) > 0 ? 'failed' : 'ok'
}

/** For statuses that are no errors and have no class: told apart by turns. */
const PLAIN = ['--chart-2xx', '--chart-3xx', '--chart-p90', '--chart-1xx']

/** The names of the colour tokens, aligned with the statuses or classes. */
export function statusColors(statuses: readonly string[], errors: Record<string, number> | undefined): string[] {
  let plain = 0
  return statuses.map((status) => {
    if (/^[1-5]xx$/.test(status)) return `--chart-${status}`
    // Where success has no status, as in many databases, it is the normal case.
    if (status === 'none' && statuses.some((s) => /^[1-5]xx$/.test(s))) return '--chart-other'
    if (statusTone(status, errors, false) === 'failed') return '--chart-5xx'
    return PLAIN[plain++ % PLAIN.length] ?? '--chart-other'
  })
}
