// The reply of /api/samples.

import type { Sample, SamplesReply } from '../src/api/samples'
import { kindOf, protocolOf, type MockCall, type MockWorld } from './model.ts'
import { unit } from './random.ts'
import { SLOW_SECONDS } from './stats.ts'

/** One example for every few seconds of each call that has something to show. */
export function samplesReply(world: MockWorld, params: URLSearchParams, start: number, end: number): SamplesReply {
  const [service, side, kind] = [params.get('service'), params.get('side'), params.get('kind')]
  const limit = Number(params.get('limit') ?? 100)
  const found = world.calls
    .flatMap((call) => (['server', 'client'] as const).flatMap((seen) => examples(call, seen, start, end)))
    .filter((s) => (!service || s.service === service) && (!side || s.side === side) && (!kind || (kind === 'slow' ? s.slow : s.failed)))
    .sort((a, b) => b.time - a.time)
  return { range: { start, end }, enabled: true, slowThreshold: SLOW_SECONDS, samples: found.slice(0, limit), more: found.length > limit }
}

function examples(call: MockCall, side: 'server' | 'client', start: number, end: number): Sample[] {
  const protocol = protocolOf(call)
  const isSlow = call.medianMs > 120
  if (call.errorRatio < 0.005 && !isSlow) return []
  const samples: Sample[] = []
  for (let time = Math.ceil(start / 37) * 37; time < end; time += 37) {
    const route = call.routes[Math.floor(unit(`${call.client}${time}`) * call.routes.length)]
    if (!route) continue
    const failed = call.errorRatio >= 0.005 && (!isSlow || time % 2 === 0)
    const status = failed ? (call.errorStatus ?? '500') : (route.status ?? '200')
    const isHTTP = protocol === 'http'
    samples.push({
      time: time + 0.25, duration: isSlow ? (call.medianMs / 1000) * 4 : 0.031, slow: isSlow, failed,
      service: side === 'server' ? call.server : call.client, instance: 'shop-01:4211', side, peer: side === 'server' ? call.client : call.server,
      protocol, kind: kindOf(protocol), operation: route.operation, target: route.target, status, error: failed ? status : '', partial: false,
      requestBytes: 61, responseBytes: 118, attributes: isHTTP ? { 'server.address': call.server } : {},
      request: isHTTP
        ? `${route.operation} ${route.target.replaceAll(/\{\w+\}/g, '8123')}?token=[redacted] HTTP/1.1\nHost: ${call.server}\nAuthorization: [redacted]\nContent-Type: application/json\n\n{"user":"bob","password":"[redacted]","items":[17,4]}`
        : `${route.operation} ${route.target}`,
      response: isHTTP ? `HTTP/1.1 ${status}\nContent-Type: application/json\nSet-Cookie: [redacted]\n\n{"error":"upstream took too long","order":8123}` : '',
      requestCut: false, responseCut: isHTTP && time % 3 === 0,
    })
  }
  return samples
}
