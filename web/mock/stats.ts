// Golden signals of a mixture of log-normal distributions.

import type { RED } from '../src/api/types'
import type { Component } from './model.ts'

export const SLOW_SECONDS = 0.5

export function red(components: Component[], seconds: number): RED {
  const requests = sum(components, (c) => c.requests)
  const errors = sum(components, (c) => c.errors)
  const byType: Record<string, number> = {}
  for (const c of components) if (c.errors > 0) byType[c.errorStatus] = (byType[c.errorStatus] ?? 0) + c.errors
  const mean = requests === 0 ? 0 : sum(components, (c) => c.requests * c.medianSeconds * Math.exp(c.sigma ** 2 / 2)) / requests
  return {
    requests,
    rate: requests / seconds,
    errors,
    errorRatio: requests === 0 ? 0 : errors / requests,
    errorsByType: byType,
    slow: Math.round(requests * (1 - cdf(components, SLOW_SECONDS))),
    mean,
    p50: quantile(components, 0.5),
    p90: quantile(components, 0.9),
    p95: quantile(components, 0.95),
    p99: quantile(components, 0.99),
    requestBytes: requests * 412,
    responseBytes: requests * 3870,
    partial: Math.floor(requests * 0.00001),
  }
}

function quantile(components: Component[], q: number): number {
  let [low, high] = [1e-6, 1e3]
  for (let i = 0; i < 36; i++) {
    const middle = Math.sqrt(low * high)
    if (cdf(components, middle) < q) low = middle
    else high = middle
  }
  return low
}

/** The share of requests that took at most x seconds. */
function cdf(components: Component[], x: number): number {
  const total = sum(components, (c) => c.requests)
  if (total === 0) return 1
  return sum(components, (c) => c.requests * normalCDF(Math.log(x / Math.max(c.medianSeconds, 1e-9)) / c.sigma)) / total
}

/** Logistic approximation; 0.01 is near enough for a mock. */
function normalCDF(z: number): number {
  return 1 / (1 + Math.exp(-1.702 * z))
}

export function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
