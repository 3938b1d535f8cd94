import { describe, expect, it } from 'vitest'
import { decodeView, encodeView, mapFrom, offersFrom, overviewFrom, serviceFrom, statusFrom, type View } from './url'

const relative = { kind: 'relative', seconds: 900 } as const
const absolute = { kind: 'absolute', start: 1_795_000_000, end: 1_795_003_600 } as const

const views: [string, View][] = [
  ['defaults', { page: 'overview', range: relative, refresh: 10, search: '', sort: undefined }],
  ['overview', { page: 'overview', range: { kind: 'relative', seconds: 604_800 }, refresh: 0, search: 'pay & go=?#%', sort: { column: 'p95', direction: 'desc' } }],
  ['odd relative range', { page: 'overview', range: { kind: 'relative', seconds: 95 }, refresh: 30, search: ' ', sort: { column: 'name', direction: 'asc' } }],
  ['map', { page: 'map', range: absolute, refresh: 5, search: 'catalog', focus: 'cart', hops: 3, hidden: ['dns', 'cache'], flows: true, selected: 'cart→currency' }],
  ['map of an external', { page: 'map', range: relative, refresh: 10, search: '', focus: '[2001:db8::1]:443', hops: 1, hidden: [], flows: false, selected: undefined }],
  ['whole map', { page: 'map', range: relative, refresh: 10, search: '', focus: undefined, hops: 1, hidden: undefined, flows: undefined, selected: undefined }],
  ['service', { page: 'service', range: relative, refresh: 10, service: 'checkout', side: 'client', search: '/v1', sort: { column: 'rate', direction: 'asc' }, instance: 'host:4711', samples: 'failed', sample: '1x9ab' }],
  ['service with a slash, a percent sign and a space', { page: 'service', range: absolute, refresh: 10, service: 'a/b 100%?#+é', side: undefined, search: '', sort: undefined, instance: undefined, samples: 'all', sample: undefined }],
  ['service named like a page', { page: 'service', range: relative, refresh: 10, service: 'status', side: 'server', search: '', sort: undefined, instance: undefined, samples: 'all', sample: undefined }],
  ['databases', { page: 'databases', range: relative, refresh: 10, search: 'select * from', sort: { column: 'time', direction: 'desc' }, of: '10.0.0.5:3306', selected: '1x9ab' }],
  ['queues', { page: 'queues', range: absolute, refresh: 5, search: '', sort: undefined, of: undefined, selected: undefined }],
  ['status', { page: 'status', range: { kind: 'relative', seconds: 300 }, refresh: 10 }],
]

describe('encodeView and decodeView', () => {
  it.each(views)('round trip: %s', (_, view) => {
    // URL is the oracle for how a browser splits an address.
    const address = new URL(encodeView(view), 'http://host')
    expect(decodeView(address.pathname, address.search)).toEqual(view)
  })

  it('leaves defaults out', () => {
    expect(views.slice(0, 1).map(([, view]) => encodeView(view))).toEqual(['/'])
  })

  it.each([
    ['/?range=0m', relative],
    ['/?range=abc', relative],
    ['/?from=5', relative],
    ['/?from=x&to=y', relative],
    ['/?from=200&to=100', { kind: 'absolute', start: 100, end: 200 }],
    ['/?from=100&to=100', { kind: 'absolute', start: 100, end: 110 }],
  ])('range of %s', (address, range) => {
    const url = new URL(address, 'http://host')
    expect(decodeView(url.pathname, url.search).range).toEqual(range)
  })

  it.each([
    ['/nowhere', 'overview'],
    ['/service/', 'overview'],
    ['/map?hops=99&refresh=1&sel=&hide=', 'map'],
    ['/service/%E0%A4%A', 'service'],
    ['/service/x?samples=none', 'service'],
  ])('understands what it can of %s', (address, page) => {
    const [path = '', search = ''] = address.split('?')
    const view = decodeView(path, search)
    expect(view.page).toBe(page)
    expect(view.refresh).toBe(10)
    if (view.page === 'map') expect([view.hops, view.selected, view.hidden]).toEqual([1, undefined, undefined])
    if (view.page === 'service') expect(view.samples).toBe('all')
  })

  it('keeps range and refresh from page to page, and nothing else', () => {
    const from = views.find(([name]) => name === 'map')?.[1] as View
    for (const to of [overviewFrom(from), mapFrom(from), serviceFrom(from, 'x'), offersFrom(from, 'dns'), statusFrom(from)]) {
      expect([to.range, to.refresh]).toEqual([absolute, 5])
      expect('search' in to ? to.search : '').toBe('')
    }
  })
})
