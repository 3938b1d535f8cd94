// A small shop with one sick service, one bad replica and one slow endpoint.

import { BACKEND_SERVICES, backendCalls } from './backends.ts'
import type { MockCall, MockFlow, MockRoute, MockService, MockWorld } from './model.ts'

function routes(...rows: [string, string, number, number?][]): MockRoute[] {
  return rows.map(([operation, target, share, slowness]) => ({ operation, target, share, slowness: slowness ?? 1 }))
}

function call(client: string, server: string, rate: number, medianMs: number, rows: MockRoute[], more: Partial<MockCall> = {}): MockCall {
  return { client, server, rate, medianMs, sigma: 0.45, errorRatio: 0.0004, routes: rows, ...more }
}

const SERVICES: MockService[] = [
  { name: 'load-generator', language: 'go', instances: 1 },
  { name: '192.0.2.44', language: '', instances: 1, external: true },
  { name: 'gateway', language: 'native', instances: 2 },
  { name: 'frontend', language: 'nodejs', instances: 2 },
  { name: 'catalog', language: 'go', instances: 4, slowInstance: { index: 2, factor: 5.4 } },
  { name: 'cart', language: 'java', instances: 2 },
  { name: 'checkout', language: 'go', instances: 2 },
  { name: 'payments', language: 'python', instances: 2 },
  { name: 'shipping', language: 'go', instances: 1 },
  { name: 'recommendations', language: 'python', instances: 2 },
  { name: 'search', language: 'java', instances: 3 },
  { name: 'inventory', language: 'java', instances: 2 },
  { name: 'currency', language: 'nodejs', instances: 1 },
  { name: 'mailer', language: 'python', instances: 1 },
  { name: 'ads', language: 'go', instances: 1 },
  { name: 'nightly-report', language: 'python', instances: 1 },
  { name: '198.51.100.10:8080', language: '', instances: 1, external: true },
  { name: '10.0.9.25:8025', language: '', instances: 1, external: true },
  { name: '192.0.2.91:443', language: '', instances: 1, external: true },
  ...BACKEND_SERVICES,
]

export function shop(now: number): MockWorld {
  const sickSince = now - 420
  const catalogRoutes = routes(['GET', '/products', 0.35], ['GET', '/products/{id}', 0.6], ['GET', '/products/{id}/reviews', 0.05, 2.1])
  const gatewayRoutes = routes(
    ['GET', '/', 0.2], ['GET', '/product/{id}', 0.4], ['GET', '/search', 0.15], ['POST', '/cart', 0.12], ['POST', '/checkout', 0.03], ['GET', '/static/{file}', 0.1, 0.1],
  )
  const sick = { errorRatio: 0.131, errorStatus: '503', sickSince, sigma: 0.7 }
  const calls: MockCall[] = [
    call('load-generator', 'gateway', 420, 14, gatewayRoutes, { errorRatio: 0.004, errorStatus: '502' }),
    call('192.0.2.44', 'gateway', 38, 17, gatewayRoutes, { errorRatio: 0.005, errorStatus: '502' }),
    call('gateway', 'frontend', 411, 12, routes(['GET', '/', 0.3], ['GET', '/product/{id}', 0.5], ['GET', '/search', 0.2])),
    call('gateway', 'cart', 55, 6, routes(['POST', '/cart', 0.6], ['GET', '/cart/{user}', 0.4])),
    call('gateway', 'checkout', 14, 62, routes(['POST', '/checkout', 1]), { errorRatio: 0.034, errorStatus: '502', sickSince }),
    call('frontend', 'catalog', 690, 3.1, catalogRoutes),
    call('frontend', 'recommendations', 205, 41, routes(['GET', '/recommendations/{user}', 0.9], ['POST', '/recommendations/batch', 0.1, 14]), { sigma: 1.6 }),
    call('frontend', 'search', 82, 18, routes(['GET', '/search', 1]), { sigma: 0.5 }),
    call('frontend', 'ads', 205, 1.2, routes(['GET', '/ads', 1])),
    call('frontend', 'currency', 320, 0.8, routes(['GET', '/rates/{currency}', 1])),
    call('recommendations', 'catalog', 240, 3.3, catalogRoutes),
    call('search', 'search', 160, 7, routes(['GET', '/shard/{n}', 1])),
    call('search', 'catalog', 64, 2.9, catalogRoutes),
    call('cart', 'inventory', 55, 4.4, routes(['GET', '/stock/{sku}', 0.8], ['PUT', '/stock/{sku}/hold', 0.2])),
    call('cart', 'currency', 55, 0.9, routes(['GET', '/rates/{currency}', 1])),
    call('checkout', 'payments', 14, 38, routes(['POST', '/charge', 0.9], ['POST', '/refund', 0.1]), sick),
    call('checkout', 'shipping', 13, 9, routes(['POST', '/quote', 0.7], ['POST', '/shipments', 0.3])),
    call('checkout', 'cart', 14, 5, routes(['GET', '/cart/{user}', 0.5], ['DELETE', '/cart/{user}', 0.5])),
    call('checkout', 'mailer', 12, 22, routes(['POST', '/send', 1])),
    call('payments', '198.51.100.10:8080', 14, 31, routes(['POST', '/v1/authorize', 1]), { ...sick, errorRatio: 0.118 }),
    call('shipping', 'inventory', 13, 4.8, routes(['GET', '/stock/{sku}', 1])),
    call('mailer', '10.0.9.25:8025', 12, 15, routes(['POST', '/messages', 1])),
    call('cart', '192.0.2.91:443', 0.4, 48, [{ operation: 'handshake', target: 'tax.gov.example', share: 1, status: '1.3' }], { protocol: 'tls' }),
    call('nightly-report', 'inventory', 0.05, 180, routes(['GET', '/stock', 1])),
    ...backendCalls(sickSince),
  ]
  const flows: MockFlow[] = [
    { client: 'fulfilment', server: 'warehouse-plc', protocol: 'tcp', up: 2100, down: 8400, roundTripMs: 0.3 },
    { client: 'inventory', server: '10.0.7.31:9300', protocol: 'tcp', up: 61_000, down: 420_000, roundTripMs: 0.8, outside: 'server' },
    { client: 'cart', server: '203.0.113.80:443', protocol: 'tls', up: 1200, down: 5100, roundTripMs: 23, outside: 'server', serverNames: ['features.vendor.example'] },
    ...['198.51.100.7', '198.51.100.21', '203.0.113.5'].map((client) => ({ client, server: 'sshd', protocol: 'tcp', up: 90, down: 260, roundTripMs: 31, outside: 'client' as const })),
  ]
  return { services: SERVICES, calls, flows, loss: { ring_full_message: 12, ring_full: 341, orphan_response: 3, route_limit: 58 } }
}
