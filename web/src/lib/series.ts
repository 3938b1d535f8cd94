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

/** The name of the colour token for a status or status class. */
export function statusColor(status: string): string {
  const digit = status[0] ?? ''
  return /^[1-5]$/.test(digit) ? `--chart-${digit}xx` : status === 'none' ? '--chart-other' : '--chart-5xx'
}
