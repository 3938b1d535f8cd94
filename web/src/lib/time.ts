// Time ranges of the page: relative to now, or fixed.

export type TimeRange = { kind: 'relative'; seconds: number } | { kind: 'absolute'; start: number; end: number }

export const PRESETS: readonly { seconds: number; label: string; short: string }[] = [
  { seconds: 300, label: 'Last 5 minutes', short: '5m' },
  { seconds: 900, label: 'Last 15 minutes', short: '15m' },
  { seconds: 3600, label: 'Last hour', short: '1h' },
  { seconds: 6 * 3600, label: 'Last 6 hours', short: '6h' },
  { seconds: 24 * 3600, label: 'Last 24 hours', short: '24h' },
  { seconds: 7 * 86400, label: 'Last 7 days', short: '7d' },
]

/** In seconds; 0 is off. */
export const REFRESHES: readonly number[] = [0, 5, 10, 30]

export const DEFAULT_RANGE: TimeRange = { kind: 'relative', seconds: 900 }
export const DEFAULT_REFRESH = 10

/** A shorter range than this shows less than one flush of the agent. */
const SHORTEST_SECONDS = 10

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

/** Start and end in whole Unix seconds. */
export function resolveRange(range: TimeRange, nowSeconds: number): { start: number; end: number } {
  if (range.kind === 'absolute') return { start: range.start, end: range.end }
  const end = Math.floor(nowSeconds)
  return { start: end - range.seconds, end }
}

/** "15m" for a whole number of units, the largest that fits. */
export function durationCode(seconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    const size = UNIT_SECONDS[unit] ?? 1
    if (seconds % size === 0) return `${seconds / size}${unit}`
  }
  return `${seconds}s`
}

/** Undefined for anything that durationCode would not write. */
export function parseDurationCode(code: string): number | undefined {
  const match = /^(\d{1,6})([smhd])$/.exec(code)
  if (!match?.[1] || !match[2]) return undefined
  const seconds = Number(match[1]) * (UNIT_SECONDS[match[2]] ?? 0)
  return seconds >= SHORTEST_SECONDS ? seconds : undefined
}

export function absoluteRange(start: number, end: number): TimeRange | undefined {
  const from = Math.floor(Math.min(start, end))
  const to = Math.ceil(Math.max(start, end))
  if (!Number.isFinite(from) || !Number.isFinite(to) || from < 0) return undefined
  return { kind: 'absolute', start: from, end: Math.max(to, from + SHORTEST_SECONDS) }
}

export function rangeLabel(range: TimeRange): string {
  if (range.kind === 'absolute') return `${clock(range.start, true)} – ${clock(range.end, !sameDay(range.start, range.end))}`
  return PRESETS.find((preset) => preset.seconds === range.seconds)?.label ?? `Last ${durationCode(range.seconds)}`
}

function sameDay(a: number, b: number): boolean {
  return new Date(a * 1000).toDateString() === new Date(b * 1000).toDateString()
}

/** Local time of day, with the date where asked. */
export function clock(seconds: number, withDate = false): string {
  const time = new Date(seconds * 1000)
  const text = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  return withDate ? `${time.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' })} ${text}` : text
}

/** The value of an <input type="datetime-local">: local time, no zone. */
export function toInputValue(seconds: number): string {
  const time = new Date(seconds * 1000)
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19)
}

export function fromInputValue(value: string): number | undefined {
  const ms = new Date(value).getTime()
  return Number.isNaN(ms) ? undefined : ms / 1000
}

/** Clocks nearer than this agree: the header has whole seconds, and a request takes time. */
const CLOCK_TOLERANCE_SECONDS = 5

/**
 * How many seconds the server's clock is ahead, from the Date header of its reply (RFC 9110 §6.6.1). What was known stays
 * while it is near enough.
 */
export function clockOffset(date: string | null, nowMs: number, known: number): number {
  const offset = Math.round((Date.parse(date ?? '') - nowMs) / 1000)
  return Math.abs(offset - known) > CLOCK_TOLERANCE_SECONDS ? offset : known
}
