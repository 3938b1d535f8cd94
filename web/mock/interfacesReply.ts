// The reply of /api/interfaces.

import type { InterfacesReply, Level, Offer, Offerer } from '../src/api/interfaces'
import { kindOf, protocolOf, protocolsOfKind, type MockCall, type MockRoute, type MockWorld } from './model.ts'
import { find, lossOf, redOf } from './replies.ts'
import { interfaceOf } from './serviceReply.ts'
import { judge, rankOf, worst } from './verdict.ts'

export function interfacesReply(world: MockWorld, kinds: readonly string[], limit: number, start: number, end: number): InterfacesReply {
  const calls = world.calls.filter((c) => kinds.includes(kindOf(protocolOf(c))))
  const all = offers(world, calls, start, end)
  return {
    range: { start, end },
    kinds: [...kinds],
    protocols: kinds.flatMap(protocolsOfKind),
    offerers: offerers(world, calls, start, end),
    offers: all.slice(0, limit),
    levels: levels(calls, end),
    total: all.length,
    loss: lossOf(world),
  }
}

function offers(world: MockWorld, calls: readonly MockCall[], start: number, end: number): Offer[] {
  const groups = new Map<string, { route: MockRoute; calls: MockCall[] }>()
  for (const call of calls) {
    for (const route of call.routes) {
      const key = JSON.stringify([call.server, protocolOf(call), route.operation, route.target])
      const group = groups.get(key) ?? { route, calls: [] }
      group.calls.push({ ...call, routes: [route] })
      groups.set(key, group)
    }
  }
  return [...groups.values()]
    .map(({ route, calls: mine }) => {
      const [first] = mine as [MockCall]
      return {
        service: first.server,
        ...interfaceOf(mine, route, start, end),
        seen: find(world, first.server)?.external ? 'client' : 'server',
        callers: mine
          .filter((c) => !find(world, c.client)?.external)
          .map((c) => ({ name: c.client, red: interfaceOf([c], route, start, end).red }))
          .sort((a, b) => b.red.requests - a.red.requests),
      }
    })
    .sort((a, b) => b.time - a.time)
}

function levels(calls: readonly MockCall[], end: number): Level[] {
  return calls
    .flatMap((c) =>
      c.routes
        .filter((r) => r.lag !== undefined)
        .flatMap((r) => {
          const of = { service: c.server, protocol: protocolOf(c), target: r.target, client: c.client }
          const value = Math.round((r.lag ?? 0) * (1 + 0.2 * Math.sin(end / 40)))
          return [{ ...of, name: 'kafka_consumer_lag', value }, { ...of, name: 'kafka_consumer_group_lag', group: `${c.client}-group`, value: value + 25 }]
        }),
    )
    .sort((a, b) => b.value - a.value)
}

function offerers(world: MockWorld, calls: readonly MockCall[], start: number, end: number): Offerer[] {
  const names = [...new Set(calls.map((c) => JSON.stringify([c.server, protocolOf(c)])))].map((key) => JSON.parse(key) as [string, string])
  return names
    .map(([service, protocol]) => {
      const mine = calls.filter((c) => c.server === service && protocolOf(c) === protocol)
      const red = redOf(world, mine, start, end)
      const reasons = judge(red)
      return red && {
        service, external: find(world, service)?.external ?? false, protocol, kind: kindOf(protocol),
        callers: [...new Set(mine.map((c) => c.client))].sort(), red, severity: worst(reasons), reasons,
      }
    })
    .filter((o) => o !== undefined)
    .sort((a, b) => rankOf(b.severity) - rankOf(a.severity) || b.red.requests - a.red.requests)
}
