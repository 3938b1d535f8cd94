// The replies of the API, from the mock's world.

import type { Service, ServicesReply } from '../src/api/services'
import type { StatusReply } from '../src/api/status'
import type { TopologyReply } from '../src/api/topology'
import type { Loss, RED } from '../src/api/types'
import { byInstance, component, errorRatioAt, kindOf, protocolOf, rateAt, timedShare, type MockCall, type MockService, type MockWorld } from './model.ts'
import { red, sum } from './stats.ts'
import { judge, rankOf, worst } from './verdict.ts'

const SPARK_STEPS = 30

export function lossOf(world: MockWorld): Loss {
  return { total: sum(Object.values(world.loss), (n) => n), causes: world.loss }
}

export function find(world: MockWorld, name: string): MockService | undefined {
  return world.services.find((s) => s.name === name)
}

export function redOf(world: MockWorld, calls: MockCall[], start: number, end: number): RED | undefined {
  if (calls.length === 0) return undefined
  return withWaits(red(calls.flatMap((c) => byInstance(c, find(world, c.server), start, end)), end - start), calls, start, end)
}

/** Requests that wait are requests, and nothing else of them counts. */
function withWaits(timed: RED, calls: readonly MockCall[], start: number, end: number): RED {
  const untimed = sum(calls, (c) => (timedShare(c) < 1 ? component(c, start, end, 1 - timedShare(c)).requests : 0))
  if (untimed === 0) return timed
  const requests = timed.requests + untimed
  return { ...timed, untimed, requests, rate: requests / (end - start), errorRatio: timed.errors / requests }
}

export function serviceRow(world: MockWorld, service: MockService, start: number, end: number): Service {
  const served = world.calls.filter((c) => c.server === service.name)
  const made = world.calls.filter((c) => c.client === service.name)
  const server = redOf(world, served, start, end)
  const client = redOf(world, made, start, end)
  const reasons = judge(server)
  const shown = served.length > 0 ? served : made
  const step = (end - start) / SPARK_STEPS
  const times = Array.from({ length: SPARK_STEPS }, (_, i) => start + (i + 0.5) * step)
  return {
    name: service.name,
    external: service.external ?? false,
    ...(service.language ? { language: service.language } : {}),
    protocols: [...new Set([...served, ...made].map(protocolOf))].sort(),
    instances: service.instances,
    ...(server ? { server } : {}),
    ...(client ? { client } : {}),
    severity: worst(reasons),
    reasons,
    spark: times.map((t) => sum(shown, (c) => rateAt(c, t))),
    sparkError: times.map((t) => sum(shown, (c) => rateAt(c, t) * errorRatioAt(c, t))),
    firstSeen: end - 86400,
    lastSeen: end - 2,
  }
}

export function servicesReply(world: MockWorld, start: number, end: number): ServicesReply {
  const services = world.services
    .filter((s) => !s.external)
    .map((s) => serviceRow(world, s, start, end))
    .sort((a, b) => rankOf(b.severity) - rankOf(a.severity) || (b.server?.rate ?? 0) - (a.server?.rate ?? 0))
  const abnormal = services.filter((s) => s.severity !== 'ok').length
  return { range: { start, end }, services, abnormal, total: services.length, loss: lossOf(world) }
}

export function topologyReply(world: MockWorld, start: number, end: number): TopologyReply {
  const nodes = world.services.map((service) => {
    const served = world.calls.filter((c) => c.server === service.name)
    const server = redOf(world, served, start, end)
    const reasons = service.external ? [] : judge(server)
    const protocols = [...new Set([...served].sort((a, b) => b.rate - a.rate).map(protocolOf))]
    return {
      id: service.name,
      external: service.external ?? false,
      entry: served.length === 0 && world.calls.some((c) => c.client === service.name && ['http', 'rpc'].includes(kindOf(protocolOf(c)))),
      ...(service.language ? { language: service.language } : {}),
      kinds: [...new Set(protocols.map(kindOf))],
      protocols,
      instances: service.instances,
      ...(server && !service.external ? { server } : {}),
      severity: worst(reasons),
      reasons,
    }
  })
  const edges = world.calls.map((call) => {
    const golden = redOf(world, [call], start, end) as RED
    const reasons = judge(golden)
    const protocol = protocolOf(call)
    const isOpen = find(world, call.client)?.external
    const isOut = find(world, call.server)?.external
    const seen = isOpen ? 'server' : isOut ? 'client' : 'both'
    return { client: call.client, server: call.server, protocol, kind: kindOf(protocol), seen, red: golden, severity: worst(reasons), reasons }
  })
  const flows = edges.map(({ client, server, protocol, seen, red: { requests, requestBytes, responseBytes } }) => ({
    client, server, protocol, seen,
    clientExternal: find(world, client)?.external ?? false, serverExternal: find(world, server)?.external ?? false,
    opened: Math.ceil(requests / 400), resets: Math.floor(requests / 90_000), retransmits: Math.floor(requests / 7_000), requestBytes, responseBytes,
    roundTrip: seen === 'both' ? 0.00006 : 0.0021, serverNames: protocol === 'tls' ? world.calls.filter((c) => c.client === client && c.server === server).flatMap((c) => c.routes.map((r) => r.target)) : [],
  }))
  const raw = world.flows.map((f) => ({
    client: f.client, server: f.server, protocol: f.protocol, seen: f.outside === 'client' ? 'server' : f.outside === 'server' ? 'client' : 'both',
    clientExternal: f.outside === 'client', serverExternal: f.outside === 'server', opened: Math.ceil((end - start) / 200), resets: f.outside === 'client' ? 1 : 0,
    retransmits: Math.floor(f.roundTripMs / 9), requestBytes: Math.round(f.up * (end - start)), responseBytes: Math.round(f.down * (end - start)),
    roundTrip: f.roundTripMs / 1000, serverNames: f.serverNames ?? [],
  }))
  return { range: { start, end }, nodes, edges, flows: [...flows, ...raw], loss: lossOf(world) }
}

export function statusReply(world: MockWorld, startedAt: number, now: number): StatusReply {
  const rate = sum(world.calls, (c) => rateAt(c, now))
  const probe = (name: string, programs: number, share: number, memoryBytes: number, detail = '') => ({
    name, state: 'running', detail, programs, runs: rate * share * (now - startedAt), nanosPerRun: 180 + programs * 14, missed: 0, memoryBytes, eventsPerSec: rate * share,
  })
  return {
    version: '0.1.0-mock', host: 'shop-01', kernel: '6.18.44', startedAt, now,
    tier: 'socket', tierReason: 'kernel 6.18 has the socket tracepoints sock_send_length and sock_recv_length',
    flushInterval: 5,
    probes: [
      probe('socket', 4, 4.1, 16 * 2 ** 20, 'tp_btf/sock_send_length, tp_btf/sock_recv_length, tp_btf/inet_sock_set_state, iter/tcp'),
      probe('process', 3, 0.01, 1.2 * 2 ** 20, 'raw_tp/sched_process_exec, raw_tp/sched_process_fork, raw_tp/sched_process_exit'),
      { name: 'syscall', state: 'stopped', detail: 'not needed: the socket tier covers it', programs: 0, runs: 0, nanosPerRun: 0, missed: 0, memoryBytes: 0, eventsPerSec: 0 },
    ],
    lost: world.loss,
    rates: { events: rate * 4.1, exchanges: rate, bytes: rate * 610 },
    memory: { rss: 71 * 2 ** 20, bound: 150 * 2 ** 20, bpf: 18 * 2 ** 20, heap: 34 * 2 ** 20 },
    cpuSeconds: (now - startedAt) * 0.014, connections: 214, processes: 187,
    store: { series: 4120, samples: 4120 * 720, diskBytes: 38 * 2 ** 20, diskBound: 2 * 2 ** 30, retentionSecs: 15 * 86400, oldest: now - 3 * 86400, fsyncInterval: 5 },
    selection: 'every process except Sonde itself',
    ignore: 'target /healthz',
    ignored: 1842,
    content: {
      enabled: true, kept: 214, dropped: { service_rate: 1804, host_rate: 0, queue: 0, store: 0, memory: 0 }, records: 214,
      diskBytes: 402_000, diskBound: 64 * 2 ** 20, retentionSecs: 3 * 86400, oldest: now - 5400,
    },
  }
}
