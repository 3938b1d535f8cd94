// The world the mock describes: calls are primary, everything else is summed from them.

import { unit, wave } from './random.ts'

export interface MockService {
  name: string
  language: string
  instances: number
  external?: boolean
  /** This instance (by index) is `factor` times slower than its siblings. */
  slowInstance?: { index: number; factor: number }
}

export interface MockRoute {
  operation: string
  target: string
  share: number
  /** Times the latency of the call. */
  slowness?: number
  /** Status of what did not fail; by default 200 for HTTP and none for others. */
  status?: string
  /** What is counted, for each request. */
  counts?: Record<string, number>
  /** The server answers late on purpose. */
  waits?: boolean
  /** How many records the client is behind in it. */
  lag?: number
}

export interface MockCall {
  client: string
  server: string
  /** "http" by default. */
  protocol?: string
  /** Requests per second. */
  rate: number
  medianMs: number
  /** Of the log-normal distribution of durations. */
  sigma: number
  errorRatio: number
  errorStatus?: string
  /** From this Unix time on, errors are at `errorRatio`; before it, at a thousandth. */
  sickSince?: number
  routes: MockRoute[]
}

/** Connections of which no request is known. */
export interface MockFlow {
  client: string
  server: string
  protocol: string
  /** Bytes per second. */
  up: number
  down: number
  roundTripMs: number
  serverNames?: string[]
  /** One of the two ends is elsewhere, and not in services. */
  outside?: 'client' | 'server'
}

export interface MockWorld {
  services: MockService[]
  calls: MockCall[]
  flows: MockFlow[]
  loss: Record<string, number>
}

/** A share of requests with one distribution of durations. */
export interface Component {
  requests: number
  medianSeconds: number
  sigma: number
  errors: number
  errorStatus: string
}

const KINDS: Record<string, string> = {
  http: 'http', mysql: 'db', postgresql: 'db', mongodb: 'db', redis: 'cache', memcached: 'cache', kafka: 'messaging', amqp: 'messaging', dns: 'dns', grpc: 'rpc',
}

export function protocolOf(call: MockCall): string {
  return call.protocol ?? 'http'
}

export function kindOf(protocol: string): string {
  return KINDS[protocol] ?? 'other'
}

export function protocolsOfKind(kind: string): string[] {
  return Object.keys(KINDS).filter((protocol) => KINDS[protocol] === kind)
}

/** The share of a call's requests whose duration is service time. */
export function timedShare(call: MockCall): number {
  return 1 - call.routes.reduce((share, route) => share + (route.waits ? route.share : 0), 0)
}

const SAMPLES = 24

export function rateAt(call: MockCall, t: number): number {
  const name = `${call.client}>${call.server}`
  return call.rate * (1 + 0.16 * wave(name, t, 900) + 0.07 * wave(`${name}~`, t, 45))
}

export function errorRatioAt(call: MockCall, t: number): number {
  const base = call.sickSince !== undefined && t < call.sickSince ? call.errorRatio / 1000 : call.errorRatio
  return base * (1 + 0.3 * wave(`${call.client}!${call.server}`, t, 60))
}

function latencyAt(call: MockCall, t: number): number {
  const sick = call.sickSince !== undefined && t >= call.sickSince ? 3.2 : 1
  return (call.medianMs / 1000) * sick * (1 + 0.12 * wave(`${call.client}?${call.server}`, t, 120))
}

/** The requests of one call in [start, end], split by instance of the server or by route where asked. */
export function component(call: MockCall, start: number, end: number, share = 1, slowness = 1): Component {
  let [requests, errors, weighted] = [0, 0, 0]
  const step = (end - start) / SAMPLES
  for (let i = 0; i < SAMPLES; i++) {
    const t = start + (i + 0.5) * step
    const n = rateAt(call, t) * step * share
    requests += n
    errors += n * errorRatioAt(call, t)
    weighted += n * latencyAt(call, t)
  }
  return {
    requests: Math.round(requests),
    errors: Math.min(Math.round(errors), Math.round(requests)),
    medianSeconds: (requests > 0 ? weighted / requests : 0) * slowness,
    sigma: call.sigma,
    errorStatus: call.errorStatus ?? '500',
  }
}

export function slownessOf(service: MockService | undefined, instance: number): number {
  return service?.slowInstance?.index === instance ? service.slowInstance.factor : 1
}

/** Components of a call as the server's instances make them: a slow replica is a component of its own. */
export function byInstance(call: MockCall, server: MockService | undefined, start: number, end: number): Component[] {
  const n = server?.slowInstance ? server.instances : 1
  const timed = timedShare(call)
  return Array.from({ length: n }, (_, i) => component(call, start, end, timed / n, slownessOf(server, i)))
}

export function pidOf(service: string, instance: number): number {
  return 1000 + Math.floor(unit(`${service}/${instance}`) * 60000)
}
