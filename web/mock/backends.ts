// What the shop keeps its things in and asks besides HTTP: databases, caches, queues, DNS, gRPC.

import type { MockCall, MockRoute, MockService } from './model.ts'

export const BACKEND_SERVICES: MockService[] = [
  { name: 'postgres', language: 'native', instances: 1 },
  { name: '10.0.4.12:3306', language: '', instances: 1, external: true },
  { name: 'redis', language: 'native', instances: 1 },
  { name: 'memcached', language: 'native', instances: 1 },
  { name: 'kafka', language: 'java', instances: 1 },
  { name: 'rabbitmq', language: 'native', instances: 1 },
  { name: 'fulfilment', language: 'go', instances: 2 },
  { name: 'analytics', language: 'python', instances: 1 },
  { name: 'label-printer', language: 'python', instances: 1 },
  { name: 'systemd-resolved', language: 'native', instances: 1 },
  { name: '10.0.0.2:53', language: '', instances: 1, external: true },
]

function call(client: string, server: string, protocol: string, rate: number, medianMs: number, routes: MockRoute[], more: Partial<MockCall> = {}): MockCall {
  const errorStatus = { mysql: '1213', postgresql: '57014', redis: 'ERR', memcached: 'SERVER_ERROR', kafka: 'REQUEST_TIMED_OUT', amqp: '504', dns: 'SERVFAIL', grpc: 'INTERNAL' }[protocol]
  return { client, server, protocol, rate, medianMs, sigma: 0.5, errorRatio: 0.0002, ...(errorStatus ? { errorStatus } : {}), routes, ...more }
}

function sql(target: string, share: number, slowness: number, counts: Record<string, number>): MockRoute {
  return { operation: target.split(' ')[0] ?? '', target, share, slowness, counts }
}

const SEARCH = `SELECT p.id, p.name, p.price, p.picture, avg(r.stars) AS stars FROM products p LEFT JOIN reviews r ON r.product_id = p.id \
WHERE p.category = ? AND p.price BETWEEN ? AND ? AND p.is_visible GROUP BY p.id ORDER BY stars DESC NULLS LAST LIMIT ?`

function databases(sickSince: number): MockCall[] {
  const orders = [
    sql('INSERT INTO orders (id, customer_id, total, currency) VALUES (?)', 0.2, 1.2, { affected_rows: 1 }),
    sql('INSERT INTO order_lines (order_id, sku, quantity, price) VALUES (?)', 0.2, 1.5, { affected_rows: 3.4 }),
    sql('UPDATE orders SET state = ?, changed_at = ? WHERE id = ?', 0.3, 1.1, { affected_rows: 1 }),
    sql('SELECT id, total, state FROM orders WHERE customer_id = ? ORDER BY created_at DESC LIMIT ?', 0.2, 6, { returned_rows: 8.2 }),
    { operation: 'COMMIT', target: 'COMMIT', share: 0.1, slowness: 2.4 },
  ]
  const products = [
    sql('SELECT id, name, price, picture FROM products WHERE id = ?', 0.86, 0.7, { returned_rows: 1 }),
    sql(SEARCH, 0.1, 38, { returned_rows: 24 }),
    sql('SELECT stars, text, author FROM reviews WHERE product_id = ?', 0.04, 2.2, { returned_rows: 61 }),
  ]
  const stock = [
    sql('SELECT quantity FROM stock WHERE sku = ?', 0.8, 0.9, { returned_rows: 1 }),
    sql('UPDATE stock SET held = held + ? WHERE sku = ? AND quantity - held >= ?', 0.2, 1.8, { affected_rows: 0.97 }),
  ]
  const key = (operation: string, target: string, share: number): MockRoute => ({ operation, target, share })
  return [
    call('checkout', 'postgres', 'postgresql', 62, 1.4, orders, { errorRatio: 0.021, errorStatus: '40001', sickSince }),
    call('payments', 'postgres', 'postgresql', 28, 1.2, [sql('SELECT token, provider FROM wallets WHERE customer_id = ?', 0.6, 1, { returned_rows: 1.3 }), sql('INSERT INTO ledger (order_id, amount, provider, reference) VALUES (?)', 0.4, 1.6, { affected_rows: 1 })]),
    call('nightly-report', 'postgres', 'postgresql', 0.02, 2400, [sql('SELECT date_trunc(?, created_at) AS day, sum(total) FROM orders WHERE created_at > ? GROUP BY day', 1, 1, { returned_rows: 365 })]),
    call('catalog', '10.0.4.12:3306', 'mysql', 880, 0.9, products),
    call('inventory', '10.0.4.12:3306', 'mysql', 70, 1.1, stock),
    call('cart', 'redis', 'redis', 240, 0.21, [key('HGETALL', 'cart:{id}', 0.5), key('HSET', 'cart:{id}', 0.3), key('EXPIRE', 'cart:{id}', 0.2)]),
    call('gateway', 'redis', 'redis', 410, 0.18, [key('GET', 'session:{id}', 0.92), key('SET', 'session:{id}', 0.08)]),
    call('mailer', 'redis', 'redis', 1.4, 0.3, [{ ...key('BLPOP', 'mail:outbox', 0.7), slowness: 4000, waits: true }, key('LLEN', 'mail:outbox', 0.3)]),
    call('frontend', 'memcached', 'memcached', 330, 0.16, [key('get', 'page:{id}', 0.9), key('set', 'page:{id}', 0.1)]),
  ]
}

function queues(): MockCall[] {
  const send = (target: string, share: number, messages: number): MockRoute => ({ operation: 'send', target, share, counts: { sent_messages: messages } })
  const poll = (target: string, share: number, messages: number, lag: number): MockRoute => ({ operation: 'poll', target, share, slowness: 300, waits: true, counts: { consumed_messages: messages }, lag })
  return [
    call('checkout', 'kafka', 'kafka', 22, 3.1, [send('orders.created', 0.6, 1), send('orders.cancelled', 0.05, 1), send('audit', 0.35, 2.2)]),
    call('frontend', 'kafka', 'kafka', 40, 2.4, [send('clicks', 1, 14.5)]),
    call('fulfilment', 'kafka', 'kafka', 5.2, 2.2, [poll('orders.created', 0.5, 5.1, 0), poll('orders.cancelled', 0.3, 0.7, 3), { operation: 'commit', target: 'orders.created', share: 0.2 }]),
    call('analytics', 'kafka', 'kafka', 4.4, 2.6, [poll('clicks', 0.6, 218, 184_000), poll('orders.created', 0.3, 10, 41), { operation: 'metadata', target: '', share: 0.1 }], { errorRatio: 0.004, errorStatus: 'NOT_LEADER_OR_FOLLOWER' }),
    call('shipping', 'rabbitmq', 'amqp', 9, 1.1, [{ operation: 'publish', target: 'labels', share: 0.9, counts: { sent_messages: 1 } }, { operation: 'publish', target: 'pickups', share: 0.1, counts: { sent_messages: 1 } }]),
    call('label-printer', 'rabbitmq', 'amqp', 16, 0.4, [{ operation: 'deliver', target: 'labels', share: 0.5, counts: { consumed_messages: 1 } }, { operation: 'ack', target: 'labels', share: 0.5 }]),
  ]
}

function names(): MockCall[] {
  const ask = (target: string, share: number, operation = 'A', status = 'NOERROR'): MockRoute => ({ operation, target, share, status })
  return [
    call('payments', 'systemd-resolved', 'dns', 1.8, 0.6, [ask('api.bank.example', 0.5), ask('api.bank.example', 0.5, 'AAAA')]),
    call('mailer', 'systemd-resolved', 'dns', 0.9, 0.8, [ask('smtp.mail.example', 0.5), ask('mail.example', 0.3, 'MX'), ask('smpt.mail.example', 0.2, 'A', 'NXDOMAIN')]),
    call('systemd-resolved', '10.0.0.2:53', 'dns', 0.7, 9, [ask('api.bank.example', 0.6), ask('smtp.mail.example', 0.4)]),
    call('catalog', '10.0.0.2:53', 'dns', 3.2, 4.1, [ask('db.shop.internal', 0.7), ask('db.shop.internal.eu-1.example', 0.3, 'A', 'NXDOMAIN')]),
    call('analytics', '10.0.0.2:53', 'dns', 0.5, 5, [ask('kafka.shop.internal', 1)], { errorRatio: 0.09, errorStatus: 'SERVFAIL', sigma: 1.1 }),
  ]
}

function remote(sickSince: number): MockCall[] {
  const method = (target: string, share: number, slowness = 1): MockRoute => ({ operation: 'unary', target, share, slowness, status: 'OK' })
  return [
    call('frontend', 'catalog', 'grpc', 130, 2.2, [method('shop.Catalog/ListProducts', 0.4, 2), method('shop.Catalog/GetProduct', 0.6)]),
    call('search', 'catalog', 'grpc', 41, 1.9, [method('shop.Catalog/GetProduct', 1)]),
    call('recommendations', 'ads', 'grpc', 60, 1.4, [method('ads.Placement/Choose', 1)], { errorRatio: 0.006, errorStatus: 'DEADLINE_EXCEEDED' }),
    call('checkout', 'payments', 'grpc', 11, 19, [method('pay.Payments/Quote', 0.7), method('pay.Payments/Refund', 0.3, 2)], { errorRatio: 0.074, errorStatus: 'UNAVAILABLE', sickSince }),
  ]
}

export function backendCalls(sickSince: number): MockCall[] {
  return [...databases(sickSince), ...queues(), ...names(), ...remote(sickSince)]
}
