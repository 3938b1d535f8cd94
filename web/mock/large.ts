// A generated landscape of many services in layers, as a large company's looks.

import type { MockCall, MockFlow, MockService, MockWorld } from './model.ts'
import { unit } from './random.ts'

const DOMAINS = ['orders', 'users', 'billing', 'search', 'media', 'stock', 'offers', 'auth', 'mail', 'fraud', 'geo', 'chat', 'ads', 'risk', 'tax', 'logs']
const ROLES = ['api', 'web', 'core', 'worker', 'sync', 'cache', 'index', 'rules', 'events', 'export', 'quota', 'admin', 'feed', 'audit']
const LANGUAGES = ['go', 'java', 'python', 'nodejs', 'native']
/** Share of services in each layer, from the entries to the leaves. */
const LAYERS = [0.06, 0.16, 0.26, 0.28, 0.24]

export function large(count: number): MockWorld {
  const services: MockService[] = []
  const layerOf: number[] = []
  for (let i = 0; i < count; i++) {
    const name = `${DOMAINS[i % DOMAINS.length] ?? ''}-${ROLES[Math.floor(i / DOMAINS.length) % ROLES.length] ?? ''}`
    const isExternal = unit(`ext${i}`) < 0.05
    services.push({
      name: isExternal ? `10.20.${i >> 4}.${i}:80` : name,
      language: isExternal ? '' : (LANGUAGES[Math.floor(unit(`lang${i}`) * LANGUAGES.length)] ?? 'go'),
      instances: 1 + Math.floor(unit(`inst${i}`) * 4),
      ...(isExternal ? { external: true } : {}),
    })
    layerOf.push(isExternal ? LAYERS.length - 1 : layerAt(i / count))
  }
  const calls: MockCall[] = []
  services.forEach((server, i) => {
    const layer = layerOf[i] ?? 0
    if (layer === 0) return
    const callers = 1 + Math.floor(unit(`callers${i}`) ** 3 * 4)
    const chosen = new Set<number>()
    for (let k = 0; k < callers; k++) chosen.add(pickCaller(layerOf, layer, `${i}/${k}`))
    for (const from of chosen) calls.push(makeCall(services[from] as MockService, server, layer))
  })
  return { services, calls, flows: flowsBetween(services), loss: {} }
}

/** A few of them speak what nobody knows. */
function flowsBetween(services: readonly MockService[]): MockFlow[] {
  return services
    .map((s, i) => ({ s, i }))
    .filter(({ i }) => unit(`flow${i}`) < 0.25)
    .map(({ s, i }) => ({
      client: s.name, server: unit(`flowto${i}`) < 0.5 ? `10.30.${i}.7:9300` : (services[(i * 7 + 3) % services.length]?.name ?? ''), protocol: 'tcp',
      up: 40_000 * unit(`up${i}`), down: 9000 * unit(`down${i}`), roundTripMs: 0.4, ...(unit(`flowto${i}`) < 0.5 ? { outside: 'server' as const } : {}),
    }))
}

function layerAt(position: number): number {
  let limit = 0
  for (let layer = 0; layer < LAYERS.length; layer++) {
    limit += LAYERS[layer] ?? 0
    if (position < limit) return layer
  }
  return LAYERS.length - 1
}

/** Mostly the layer just above, now and then one further up. */
function pickCaller(layerOf: readonly number[], layer: number, seed: string): number {
  const wanted = unit(`${seed}skip`) < 0.85 ? layer - 1 : Math.max(0, layer - 2)
  const candidates = layerOf.flatMap((l, i) => (l === wanted ? [i] : []))
  return candidates[Math.floor(unit(seed) * candidates.length)] ?? 0
}

function makeCall(client: MockService, server: MockService, layer: number): MockCall {
  const seed = `${client.name}>${server.name}`
  const isSick = unit(`${server.name}sick`) < 0.035
  return {
    client: client.name,
    server: server.name,
    rate: (800 / layer ** 2) * unit(`${seed}rate`) ** 2 + 0.2,
    medianMs: 2 + unit(`${seed}ms`) * 30,
    sigma: 0.5,
    errorRatio: isSick ? 0.08 : 0.0003,
    routes: [{ operation: 'GET', target: `/${server.name}/{id}`, share: 0.7 }, { operation: 'POST', target: `/${server.name}`, share: 0.3 }],
  }
}
