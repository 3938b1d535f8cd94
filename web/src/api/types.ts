// The shapes shared by several replies. They mirror server/query/types.go; api/contract.test.ts compares the two.
// All times are Unix seconds, durations seconds, sizes bytes, rates per second; counts over a range are exact.

export interface Range {
  start: number
  end: number
  step?: number
}

export interface RED {
  requests: number
  rate: number
  errors: number
  errorRatio: number
  errorsByType?: Record<string, number>
  slow: number
  /** Of requests: they wait on purpose, and are no part of slow, mean and percentiles (except an interface's). */
  untimed?: number
  mean: number
  p50: number
  p90: number
  p95: number
  p99: number
  requestBytes: number
  responseBytes: number
  partial: number
}

export type Severity = 'ok' | 'warning' | 'critical'

export interface Reason {
  signal: string
  severity: Severity
  text: string
  value: number
  limit: number
}

export interface Loss {
  total: number
  causes: Record<string, number>
}
