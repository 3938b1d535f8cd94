// A Vite plugin that answers /api from generated data, for development and for browser tests without a running Sonde.
// SONDE_MOCK chooses the world: "shop" (default), "empty", or a number of services. It is never part of the built page.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'
import { interfacesReply } from './interfacesReply.ts'
import { large } from './large.ts'
import type { MockWorld } from './model.ts'
import { servicesReply, statusReply, topologyReply } from './replies.ts'
import { samplesReply } from './samplesReply.ts'
import { serviceReply } from './serviceReply.ts'
import { shop } from './shop.ts'

export function mockApi(): Plugin {
  const startedAt = Date.now() / 1000
  const world = makeWorld(process.env.SONDE_MOCK ?? 'shop', startedAt)
  const handle = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const url = new URL(request.url ?? '/', 'http://mock')
    if (!url.pathname.startsWith('/api/')) {
      next()
      return
    }
    const body = answer(world, url, startedAt)
    response.statusCode = body ? 200 : 404
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body ?? { error: `No service or page at ${url.pathname} in this time range.` }))
  }
  return {
    name: 'sonde-mock-api',
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  }
}

function makeWorld(name: string, now: number): MockWorld {
  if (name === 'empty') return { services: [], calls: [], flows: [], loss: {} }
  return Number(name) > 0 ? large(Number(name)) : shop(now)
}

function answer(world: MockWorld, url: URL, startedAt: number): object | undefined {
  const now = Date.now() / 1000
  const end = Number(url.searchParams.get('end') ?? now)
  const start = Number(url.searchParams.get('start') ?? end - 900)
  const step = Number(url.searchParams.get('step') ?? Math.max(5, Math.round((end - start) / 120)))
  switch (url.pathname) {
    case '/api/services':
      return servicesReply(world, start, end)
    case '/api/topology':
      return topologyReply(world, start, end)
    case '/api/interfaces':
      return interfacesReply(world, (url.searchParams.get('kind') ?? '').split(','), Number(url.searchParams.get('limit') ?? 500), start, end)
    case '/api/samples':
      return samplesReply(world, url.searchParams, start, end)
    case '/api/status':
      return statusReply(world, startedAt - 5400, now)
  }
  const name = /^\/api\/services\/(.+)$/.exec(url.pathname)?.[1]
  return name === undefined ? undefined : serviceReply(world, decodeURIComponent(name), url.searchParams.get('side') ?? '', start, end, step)
}
