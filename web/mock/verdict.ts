// Reasons and severities, by plain rules on the mock's own figures.

import type { Reason, RED, Severity } from '../src/api/types'

export function judge(red: RED | undefined, normalP95?: number): Reason[] {
  if (!red || red.requests === 0) return []
  const reasons: Reason[] = []
  if (red.errorRatio >= 0.01) {
    const type = Object.entries(red.errorsByType ?? {}).sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'error'
    const severity = red.errorRatio >= 0.05 ? 'critical' : 'warning'
    reasons.push({ signal: 'errors', severity, text: `${percent(red.errorRatio)} of requests fail (${type})`, value: red.errorRatio, limit: 0.01 })
  }
  if (red.p95 > 0.5) {
    reasons.push({ signal: 'latency', severity: 'warning', text: `P95 is ${seconds(red.p95)}, over 500 ms`, value: red.p95, limit: 0.5 })
  }
  if (normalP95 !== undefined && red.p95 > 3 * normalP95) {
    const times = (red.p95 / normalP95).toFixed(1)
    reasons.push({ signal: 'latency', severity: 'warning', text: `P95 is ${times} times that of its siblings`, value: red.p95, limit: 3 * normalP95 })
  }
  return reasons
}

export function worst(reasons: readonly Reason[]): Severity {
  if (reasons.some((r) => r.severity === 'critical')) return 'critical'
  return reasons.length > 0 ? 'warning' : 'ok'
}

export function rankOf(severity: Severity): number {
  return { critical: 2, warning: 1, ok: 0 }[severity]
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}

function seconds(value: number): string {
  return value >= 1 ? `${value.toFixed(2)} s` : `${Math.round(value * 1000)} ms`
}
