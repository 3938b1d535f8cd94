// The state of the page is its address: decode(encode(view)) equals view. Defaults are left out, so that addresses stay short;
// what cannot be understood falls back to its default.

import type { SampleKind } from '../api/samples'
import { absoluteRange, DEFAULT_RANGE, DEFAULT_REFRESH, durationCode, parseDurationCode, REFRESHES, type TimeRange } from './time'

export type Side = 'server' | 'client'
export type SortDirection = 'asc' | 'desc'

export interface Sort {
  column: string
  direction: SortDirection
}

/** What every page shares. */
interface Common {
  range: TimeRange
  refresh: number
}

export interface OverviewView extends Common {
  page: 'overview'
  search: string
  sort: Sort | undefined
}

export interface MapView extends Common {
  page: 'map'
  search: string
  focus: string | undefined
  hops: number
  /** Kinds of calls that are left out: "dns" hides what every service asks. Undefined leaves it to what there is. */
  hidden: string[] | undefined
  /** Whether connections without known requests are drawn; undefined leaves it to how many there are. */
  flows: boolean | undefined
  /** Id of the node or edge whose panel is open. */
  selected: string | undefined
}

export interface ServiceView extends Common {
  page: 'service'
  service: string
  side: Side | undefined
  search: string
  sort: Sort | undefined
  instance: string | undefined
  /** Which of the slow and failed requests are listed. */
  samples: SampleKind
  /** Id of the one that is open. */
  sample: string | undefined
}

/** Pages that list what the services of a kind offer. */
export const OFFER_PAGES = ['databases', 'queues', 'dns', 'rpc'] as const
export type OfferPage = (typeof OFFER_PAGES)[number]

export interface OffersView extends Common {
  page: OfferPage
  search: string
  sort: Sort | undefined
  /** Only what this service offers. */
  of: string | undefined
  /** Id of the row whose panel is open. */
  selected: string | undefined
}

export interface StatusView extends Common {
  page: 'status'
}

export type View = OverviewView | MapView | ServiceView | OffersView | StatusView

export function isOffersView(view: View): view is OffersView {
  return (OFFER_PAGES as readonly string[]).includes(view.page)
}

export const DEFAULT_HOPS = 1
export const MAX_HOPS = 4

/** Where leaving out nothing is not the default. */
const NOTHING = 'none'

export function encodeView(view: View): string {
  const query = new URLSearchParams()
  encodeRange(query, view)
  if (view.refresh !== DEFAULT_REFRESH) query.set('refresh', String(view.refresh))
  if (view.page !== 'status' && view.search) query.set('q', view.search)
  if ('sort' in view && view.sort) query.set('sort', `${view.sort.column}.${view.sort.direction}`)
  if (view.page === 'map') {
    if (view.focus) query.set('focus', view.focus)
    if (view.hops !== DEFAULT_HOPS) query.set('hops', String(view.hops))
    if (view.hidden) query.set('hide', view.hidden.join(',') || NOTHING)
    if (view.flows !== undefined) query.set('flows', view.flows ? '1' : '0')
    if (view.selected) query.set('sel', view.selected)
  }
  if (isOffersView(view)) {
    if (view.of) query.set('of', view.of)
    if (view.selected) query.set('sel', view.selected)
  }
  if (view.page === 'service') {
    if (view.side) query.set('side', view.side)
    if (view.instance) query.set('instance', view.instance)
    if (view.samples !== 'all') query.set('samples', view.samples)
    if (view.sample) query.set('sample', view.sample)
  }
  const text = query.toString()
  return text ? `${encodePath(view)}?${text}` : encodePath(view)
}

function encodePath(view: View): string {
  switch (view.page) {
    case 'overview':
      return '/'
    case 'map':
      return '/map'
    case 'service':
      return `/service/${encodeURIComponent(view.service)}`
    default:
      return `/${view.page}`
  }
}

function encodeRange(query: URLSearchParams, { range }: Common): void {
  if (range.kind === 'absolute') {
    query.set('from', String(range.start))
    query.set('to', String(range.end))
  } else if (DEFAULT_RANGE.kind !== 'relative' || range.seconds !== DEFAULT_RANGE.seconds) {
    query.set('range', durationCode(range.seconds))
  }
}

/** path and search as in window.location. An unknown path is the overview. */
export function decodeView(path: string, search: string): View {
  const query = new URLSearchParams(search)
  const common: Common = { range: decodeRange(query), refresh: decodeRefresh(query.get('refresh')) }
  const text = query.get('q') ?? ''
  if (path === '/map') {
    return {
      ...common,
      page: 'map',
      search: text,
      focus: query.get('focus') || undefined,
      hops: decodeHops(query.get('hops')),
      hidden: decodeHidden(query.get('hide')),
      flows: { '1': true, '0': false }[query.get('flows') ?? ''],
      selected: query.get('sel') || undefined,
    }
  }
  if (path === '/status') return { ...common, page: 'status' }
  const service = decodeService(path)
  const sort = decodeSort(query.get('sort'))
  const page = OFFER_PAGES.find((p) => path === `/${p}`)
  if (page) return { ...common, page, search: text, sort, of: query.get('of') || undefined, selected: query.get('sel') || undefined }
  if (service) {
    const side = query.get('side')
    return {
      ...common,
      page: 'service',
      service,
      side: side === 'server' || side === 'client' ? side : undefined,
      search: text,
      sort,
      instance: query.get('instance') || undefined,
      samples: decodeSamples(query.get('samples')),
      sample: query.get('sample') || undefined,
    }
  }
  return { ...common, page: 'overview', search: text, sort }
}

function decodeService(path: string): string | undefined {
  const match = /^\/service\/(.+)$/.exec(path)
  if (!match?.[1]) return undefined
  try {
    return decodeURIComponent(match[1])
  } catch {
    return match[1] // a stray "%" typed by hand
  }
}

function decodeRange(query: URLSearchParams): TimeRange {
  const from = query.get('from')
  const to = query.get('to')
  if (from && to) return absoluteRange(Number(from), Number(to)) ?? DEFAULT_RANGE
  const seconds = parseDurationCode(query.get('range') ?? '')
  return seconds ? { kind: 'relative', seconds } : DEFAULT_RANGE
}

function decodeRefresh(text: string | null): number {
  const seconds = text === null ? DEFAULT_REFRESH : Number(text)
  return REFRESHES.includes(seconds) ? seconds : DEFAULT_REFRESH
}

function decodeHops(text: string | null): number {
  const hops = text === null ? DEFAULT_HOPS : Math.floor(Number(text))
  return hops >= 1 && hops <= MAX_HOPS ? hops : DEFAULT_HOPS
}

function decodeHidden(text: string | null): string[] | undefined {
  return text ? text.split(',').filter((kind) => kind !== '' && kind !== NOTHING) : undefined
}

function decodeSamples(text: string | null): SampleKind {
  return text === 'failed' || text === 'slow' ? text : 'all'
}

function decodeSort(text: string | null): Sort | undefined {
  const match = /^([a-z0-9]+)\.(asc|desc)$/i.exec(text ?? '')
  return match?.[1] ? { column: match[1], direction: match[2] === 'asc' ? 'asc' : 'desc' } : undefined
}

/** The pages reached from `view`: they keep its time range and refresh, and nothing else. */
export function overviewFrom({ range, refresh }: View): OverviewView {
  return { page: 'overview', range, refresh, search: '', sort: undefined }
}

export function mapFrom({ range, refresh }: View, focus?: string): MapView {
  return { page: 'map', range, refresh, search: '', focus, hops: DEFAULT_HOPS, hidden: undefined, flows: undefined, selected: focus }
}

export function serviceFrom({ range, refresh }: View, service: string): ServiceView {
  return { page: 'service', range, refresh, service, side: undefined, search: '', sort: undefined, instance: undefined, samples: 'all', sample: undefined }
}

export function offersFrom({ range, refresh }: View, page: OfferPage, of?: string): OffersView {
  return { page, range, refresh, search: '', sort: undefined, of, selected: undefined }
}

export function statusFrom({ range, refresh }: View): StatusView {
  return { page: 'status', range, refresh }
}
