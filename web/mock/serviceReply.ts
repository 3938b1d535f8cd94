// The reply of /api/services/{name}.

import type { Instance, Interface, Peer, Series, ServiceReply } from '../src/api/service'
import { component, errorRatioAt, kindOf, pidOf, protocolOf, rateAt, slownessOf, type MockCall, type MockRoute, type MockService, type MockWorld } from './model.ts'
import { find, lossOf, redOf, serviceRow } from './replies.ts'
import { red, SLOW_SECONDS, sum } from './stats.ts'
import { judge, rankOf, worst } from './verdict.ts'

export function serviceReply(world: MockWorld, name: string, side: string, start: number, end: number, step: number): ServiceReply | undefined {
  const service = find(world, name)
  if (!service) return undefined
  const served = world.calls.filter((c) => c.server === name)
  const made = world.calls.filter((c) => c.client === name)
  const isServer = side === 'server' || (side !== 'client' && served.length > 0)
  const shown = isServer ? served : made
  const count = Math.max(1, Math.floor((end - start) / step))
  const times = Array.from({ length: count }, (_, i) => start + (i + 1) * step)
  return {
    range: { start, end, step },
    service: serviceRow(world, service, start, end),
    side: isServer ? 'server' : 'client',
    slowThreshold: SLOW_SECONDS,
    series: series(world, shown, times, step),
    interfaces: interfaces(served, start, end, false),
    calls: interfaces(made, start, end, true),
    callers: peers(world, served, 'client', start, end),
    dependencies: peers(world, made, 'server', start, end),
    instances: instances(service, served, made, start, end, times, step),
    loss: lossOf(world),
  }
}

function series(world: MockWorld, calls: MockCall[], times: number[], step: number): Series {
  const reds = times.map((t) => redOf(world, calls, t - step, t))
  const status: Record<string, number[]> = {}
  const add = (name: string, i: number, rate: number) => {
    const values = (status[name] ??= times.map(() => 0))
    values[i] = (values[i] ?? 0) + rate
  }
  times.forEach((t, i) => {
    for (const call of calls) {
      const bad = rateAt(call, t) * errorRatioAt(call, t)
      const isHTTP = protocolOf(call) === 'http'
      const odd = isHTTP ? rateAt(call, t) * 0.012 : 0
      add(isHTTP ? `${(call.errorStatus ?? '500').slice(0, 1)}xx` : (call.errorStatus ?? 'error'), i, bad)
      if (isHTTP) add('4xx', i, odd)
      for (const route of call.routes) add(isHTTP ? '2xx' : (route.status ?? 'none'), i, (rateAt(call, t) - bad - odd) * route.share)
    }
  })
  return {
    time: times,
    rate: reds.map((r) => r?.rate ?? null),
    errors: reds.map((r) => (r ? r.errors / step : null)),
    errorRatio: reds.map((r) => r?.errorRatio ?? null),
    slow: reds.map((r) => (r ? r.slow / step : null)),
    p50: reds.map((r) => r?.p50 ?? null),
    p90: reds.map((r) => r?.p90 ?? null),
    p95: reds.map((r) => r?.p95 ?? null),
    p99: reds.map((r) => r?.p99 ?? null),
    status,
  }
}

function interfaces(calls: MockCall[], start: number, end: number, withPeer: boolean): Interface[] {
  const rows = new Map<string, MockCall[]>()
  const routes = new Map<string, MockRoute>()
  for (const call of calls) {
    for (const route of call.routes) {
      const key = JSON.stringify([protocolOf(call), route.operation, route.target, withPeer ? call.server : ''])
      rows.set(key, [...(rows.get(key) ?? []), { ...call, routes: [route] }])
      routes.set(key, route)
    }
  }
  return [...rows]
    .map(([key, group]) => {
      const peer = withPeer ? group[0]?.server : undefined
      return { ...interfaceOf(group, routes.get(key) as MockRoute, start, end), ...(peer ? { peer } : {}) }
    })
    .sort((a, b) => b.red.rate - a.red.rate)
}

/** Calls of one route, from one or several callers. */
export function interfaceOf(calls: readonly MockCall[], route: MockRoute, start: number, end: number): Interface {
  const parts = calls.map((c) => component(c, start, end, c.routes[0]?.share, c.routes[0]?.slowness ?? 1))
  const golden = red(parts, end - start)
  const protocol = protocolOf(calls[0] as MockCall)
  const good = route.status ?? (protocol === 'http' ? '200' : '')
  const counts = Object.fromEntries(Object.entries(route.counts ?? {}).map(([name, each]) => [name, Math.round(each * golden.requests)]))
  return {
    protocol, kind: kindOf(protocol), operation: route.operation, target: route.target, counts,
    statuses: { ...(good ? { [good]: golden.requests - golden.errors } : {}), ...golden.errorsByType },
    time: route.waits ? 0 : golden.mean * golden.requests,
    red: route.waits ? { ...golden, untimed: golden.requests, slow: 0 } : golden,
  }
}

function peers(world: MockWorld, calls: MockCall[], end: 'client' | 'server', from: number, to: number): Peer[] {
  return calls
    .map((call) => {
      const golden = redOf(world, [call], from, to)
      const reasons = judge(golden)
      return golden && { name: call[end], external: find(world, call[end])?.external ?? false, protocol: protocolOf(call), kind: kindOf(protocolOf(call)), red: golden, severity: worst(reasons), reasons }
    })
    .filter((peer) => peer !== undefined)
    .sort((a, b) => rankOf(b.severity) - rankOf(a.severity) || b.red.rate - a.red.rate)
}

function instances(service: MockService, served: MockCall[], made: MockCall[], start: number, end: number, times: number[], step: number): Instance[] {
  const share = 1 / service.instances
  const parts = (calls: MockCall[], i: number, from: number, to: number) => calls.map((c) => component(c, from, to, share, slownessOf(service, i)))
  const normal = red(parts(served, service.slowInstance?.index === 0 ? 1 : 0, start, end), end - start)
  return Array.from({ length: service.instances }, (_, i) => {
    const server = served.length > 0 ? red(parts(served, i, start, end), end - start) : undefined
    const client = made.length > 0 ? red(parts(made, i, start, end), end - start) : undefined
    const reasons = service.instances > 1 ? judge(server, normal.p95) : judge(server)
    const shown = served.length > 0 ? served : made
    const over = times.map((t) => red(parts(shown, i, t - step, t), step))
    const pid = pidOf(service.name, i)
    return {
      id: service.external ? service.name : `shop-01:${pid}`,
      ...(service.external ? {} : { pid, executable: { go: service.name, java: 'java', python: 'python3.11', nodejs: 'node', native: 'nginx' }[service.language] ?? service.name }),
      ...(service.language ? { language: service.language } : {}),
      host: 'shop-01',
      ...(server ? { server } : {}),
      ...(client ? { client } : {}),
      severity: worst(reasons),
      reasons,
      rate: over.map((r) => r.rate),
      p95: over.map((r) => r.p95),
      errorRatio: times.map((t, k) => over[k]?.errorRatio ?? sum(shown, (c) => errorRatioAt(c, t))),
    }
  })
}
