// Numbers for people: three significant digits, a unit, a no-break space between them.

const GAP = '\u00a0'
/** Between groups of three digits. */
const GROUP = '\u202f'
export const NONE = '–'

const SI: readonly [number, string][] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** At most three significant digits, no exponent; 0.1234 → "0.123". */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return trim(value.toFixed(1))
  if (size >= 1) return trim(value.toFixed(2))
  return trim(value.toPrecision(2))
}

function trim(text: string): string {
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text
}

function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

/** A number of things: exact below 10 000, with k, M or G above. */
export function formatCount(value: number | null | undefined): string {
  if (!isNumber(value)) return NONE
  if (Math.abs(value) < 10_000) return Number.isInteger(value) ? value.toLocaleString('en-US').replace(/,/g, GROUP) : digits(value)
  return scaled(value, SI)
}

/** Every digit, grouped: for tool tips and for losses, where exactness is the point. */
export function formatExact(value: number): string {
  return Math.round(value).toLocaleString('en-US').replace(/,/g, GROUP)
}

/** Per second. Below one a minute it says so per hour, since "0.003/s" tells nobody anything. */
export function formatRate(perSecond: number | null | undefined): string {
  if (!isNumber(perSecond)) return NONE
  if (perSecond === 0) return '0'
  if (perSecond < 1 / 60) return `${digits(perSecond * 3600)}/h`
  if (perSecond < 0.1) return `${digits(perSecond * 60)}/min`
  return `${scaled(perSecond, SI)}/s`
}

function scaled(value: number, steps: readonly [number, string][]): string {
  for (const [size, unit] of steps) {
    // 0.9995: what would round to "1000" belongs to the next unit.
    if (Math.abs(value) >= size * 0.9995) return `${digits(value / size)}${GAP}${unit}`
  }
  return digits(value)
}

export function formatDuration(seconds: number | null | undefined): string {
  if (!isNumber(seconds)) return NONE
  const size = Math.abs(seconds)
  if (size === 0) return '0'
  if (size < 1e-9) return NONE // the zero bucket of a histogram: what is sent without an answer was not timed
  if (size < 0.9995e-3) return `${digits(seconds * 1e6)}${GAP}µs`
  if (size < 0.9995) return `${digits(seconds * 1e3)}${GAP}ms`
  if (size < 120) return `${digits(seconds)}${GAP}s`
  return formatSpan(seconds)
}

/** A percentile or a mean of durations, which is zero where nothing was timed. */
export function formatLatency(seconds: number | null | undefined): string {
  return seconds ? formatDuration(seconds) : NONE
}

/** Long spans in their two largest units: "3 d 4 h". */
export function formatSpan(seconds: number): string {
  const whole = Math.round(seconds)
  const units: readonly [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => whole >= size)
  if (first < 0) return `0${GAP}s`
  const parts: string[] = []
  let rest = whole
  for (const [size, unit] of units.slice(first, first + 2)) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n > 0) parts.push(`${n}${GAP}${unit}`)
  }
  return parts.join(' ')
}

/** A ratio of 0..1. Never "0 %" for something, never "100 %" for less than all. */
export function formatRatio(ratio: number | null | undefined): string {
  if (!isNumber(ratio)) return NONE
  const percent = ratio * 100
  if (percent === 0) return `0${GAP}%`
  if (percent < 0.01) return `<${GAP}0.01${GAP}%`
  if (percent < 1) return `${trim(percent.toFixed(2))}${GAP}%`
  if (percent < 99.95) return `${trim(percent.toFixed(1))}${GAP}%`
  return percent < 100 ? `>${GAP}99.9${GAP}%` : `${digits(percent)}${GAP}%`
}

const BINARY: readonly [number, string][] = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
]

export function formatBytes(bytes: number | null | undefined): string {
  if (!isNumber(bytes)) return NONE
  for (const [size, unit] of BINARY) {
    if (Math.abs(bytes) >= size) return `${digits(bytes / size)}${GAP}${unit}`
  }
  return `${digits(bytes)}${GAP}B`
}

/** "1 service", "3 services". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`
}

const LANGUAGES: Record<string, string> = {
  go: 'Go',
  python: 'Python',
  nodejs: 'Node',
  java: 'Java',
  native: 'Native',
  ruby: 'Ruby',
  php: 'PHP',
  rust: 'Rust',
  dotnet: '.NET',
}

export function languageName(language: string | undefined): string {
  return language ? (LANGUAGES[language] ?? language) : ''
}
