import { describe, expect, it } from 'vitest'
import type { Level, Offer } from '../api/interfaces'
import type { RED } from '../api/types'
import { addUp, countNames, destinations, furthestBehind, idOf, offerId, roleOf, totals } from './offers'

function red(requests: number, errors = 0, more: Partial<RED> = {}): RED {
  return { requests, rate: requests / 100, errors, errorRatio: requests ? errors / requests : 0, slow: 0, mean: 0.01, p50: 0.01, p90: 0.01, p95: 0.02, p99: 0.03, requestBytes: 0, responseBytes: 0, partial: 0, ...more }
}

function offer(operation: string, target: string, requests: number, callers: string[], more: Partial<Offer> = {}): Offer {
  const each = callers.map((name, i) => ({ name, red: red(requests - i) }))
  return { service: 'broker', seen: 'server', protocol: 'kafka', kind: 'messaging', operation, target, statuses: {}, counts: {}, time: 0, red: red(requests), callers: each, ...more }
}

function lag(target: string, client: string, value: number): Level {
  return { service: 'broker', protocol: 'kafka', target, name: 'kafka_consumer_lag', client, value }
}

function groupLag(target: string, group: string, client: string, value: number): Level {
  return { ...lag(target, client, value), name: 'kafka_consumer_group_lag', group }
}

it.each([
  ['send', 'produces'], ['Produce', 'produces'], ['publish', 'produces'], ['basic.publish', 'produces'],
  ['receive', 'consumes'], ['Fetch', 'consumes'], ['poll', 'consumes'], ['deliver', 'consumes'], ['basic.get', 'consumes'], ['subscribe', 'consumes'],
  ['SEND_MESSAGE_V2', 'produces'], ['POP_MESSAGE', 'consumes'], ['GET_MAX_OFFSET', 'other'], ['FetchSnapshot', 'other'], ['CONSUMER_SEND_MSG_BACK', 'other'],
  ['metadata', 'other'], ['basic.ack', 'other'], ['commit', 'other'], ['', 'other'], ['heartbeat', 'other'], ['unsubscribed', 'other'],
])('%s %s', (operation, role) => expect(roleOf(operation)).toBe(role))

describe('ids', () => {
  it('are short, stable, and tell every part apart', () => {
    const ids = [['a', 'b'], ['ab'], ['a', 'b', ''], ['', 'a', 'b'], ['a"', 'b'], ['ä', 'b']].map((parts) => offerId(...parts))
    expect(new Set(ids).size).toBe(ids.length)
    expect(offerId('SELECT '.repeat(500)).length).toBeLessThan(12)
    expect(offerId('shop', 'mysql', 'SELECT', 'SELECT ?')).toBe(idOf(offer('SELECT', 'SELECT ?', 1, [], { service: 'shop', protocol: 'mysql' })))
  })
})

it('counts are named once, in order', () => {
  expect(countNames([{ counts: { b: 1, a: 2 } }, { counts: {} }, { counts: { a: 3, c: 1 } }])).toEqual(['b', 'a', 'c'])
})

it('statuses and errors of all add up, most frequent first', () => {
  const rows = [
    { statuses: { NOERROR: 5, NXDOMAIN: 9 }, red: red(14, 9, { errorsByType: { NXDOMAIN: 9 } }) },
    { statuses: { NOERROR: 7 }, red: red(7) },
  ]
  expect(totals(rows)).toEqual({ statuses: [['NOERROR', 12], ['NXDOMAIN', 9]], errors: { NXDOMAIN: 9 } })
})

it('requests, errors and what is not timed add up', () => {
  expect(addUp([red(100, 10), red(300, 0, { untimed: 300 })])).toEqual({ requests: 400, errors: 10, rate: 4, errorRatio: 0.025, untimed: 300 })
  expect(addUp([]).errorRatio).toBe(0)
})

describe('destinations', () => {
  const rows = destinations(
    [
      offer('send', 'orders', 100, ['shop', 'admin'], { counts: { sent_messages: 500, sent_bytes: 90_000 } }),
      offer('poll', 'orders', 50, ['mailer'], { counts: { consumed_messages: 400 }, red: red(50, 0, { untimed: 50 }) }),
      offer('commit', 'orders', 10, ['mailer', 'other']),
      offer('send', 'audit', 20, ['shop']),
      offer('deliver', 'audit', 30, ['logger']),
      offer('subscribe', 'audit', 1, ['late', 'logger']),
      offer('send', 'orders', 7, ['x'], { service: 'another' }),
    ],
    [lag('orders', 'audit-log', 5), lag('orders', 'mailer', 120), lag('returns', 'mailer', 0), { ...lag('audit', 'logger', 9), name: 'depth' },
      groupLag('orders', 'mail', 'mailer', 40), groupLag('orders', 'mail', 'mailer-2', 90), groupLag('orders', 'audit', 'audit-log', 125), groupLag('parcels', 'mail', 'mailer', 0)],
    100,
  )
  it('group operations by broker and name', () => {
    expect(rows.map((d) => `${d.service} ${d.target} ${d.offers.length}`)).toEqual(['broker orders 3', 'broker audit 3', 'another orders 1', 'broker returns 0', 'broker parcels 0'])
  })
  it('tell producers from consumers; who only commits is neither', () => {
    expect([rows[0]?.producers.map((c) => c.name), rows[0]?.consumers.map((c) => c.name)]).toEqual([['shop', 'admin'], ['mailer']])
  })
  it('count messages where the protocol does, requests otherwise', () => {
    expect(rows[0]?.produced).toEqual({ perSecond: 5, isMessages: true, requests: 100 })
    expect(rows[0]?.consumed).toEqual({ perSecond: 4, isMessages: true, requests: 50 })
    expect(rows[1]?.produced).toEqual({ perSecond: 0.2, isMessages: false, requests: 20 })
    expect(rows[1]?.consumed).toEqual({ perSecond: 0.3, isMessages: false, requests: 30 })
  })
  it('who only subscribed is a consumer already', () => expect(rows[1]?.consumers.map((c) => c.name)).toEqual(['logger', 'late']))
  it('have the lag of each consumer, the furthest behind first, and are there for a lag alone', () => {
    expect(rows.map((d) => d.lags.map((l) => `${l.client} ${l.records}`))).toEqual([['mailer 120', 'audit-log 5'], [], [], ['mailer 0'], []])
  })
  it('have the lag of each group, added up over the services of its members', () => {
    expect(rows.map((d) => d.groups.map((g) => `${g.group} ${g.records} ${g.members.map((m) => m.client).join('+')}`)))
      .toEqual([['mail 130 mailer-2+mailer', 'audit 125 audit-log'], [], [], [], ['mail 0 mailer']])
  })
  it('are as far behind as the furthest group, or consumer where there is none', () => {
    expect(rows.map((d) => furthestBehind(d))).toEqual([
      { name: 'mail', isGroup: true, records: 130 }, undefined, undefined, { name: 'mailer', isGroup: false, records: 0 }, { name: 'mail', isGroup: true, records: 0 },
    ])
  })
  it('have the percentile of sending, and all requests', () => {
    expect([rows[0]?.sendP95, rows[0]?.all.requests, rows[0]?.all.untimed]).toEqual([0.02, 160, 50])
  })
  it('have no percentile of sending where nobody is answered', () => {
    const [row] = destinations([offer('publish', 'news', 70, ['mailer'], { red: red(70, 0, { untimed: 70, p95: 0 }) })], [], 10)
    expect([row?.sendP95, row?.produced.requests]).toEqual([undefined, 70])
  })
})
