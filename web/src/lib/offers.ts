// Statements, names, methods and destinations: what the pages of one kind list. Pure.

import type { Caller, Level, Offer, Offerer } from '../api/interfaces'
import type { RED } from '../api/types'
import { groupBy } from './graph'

/** How the names of such levels end: kafka_consumer_lag, kafka_consumer_group_lag. */
const LAG = '_consumer_lag'
const GROUP_LAG = '_consumer_group_lag'

/** Whether a call puts something into a queue, takes something out, or does neither (asks for metadata, commits). */
export type Role = 'produces' | 'consumes' | 'other'

const PUTS: ReadonlySet<string> = new Set([
  'send', 'publish', 'produce', 'send_message', 'send_message_v2', 'send_batch_message', 'send_reply_message', 'send_reply_message_v2',
])
const TAKES: ReadonlySet<string> = new Set([
  'receive', 'deliver', 'fetch', 'poll', 'get', 'pull', 'pop', 'process', 'pull_message', 'lite_pull_message', 'pop_message',
])
/** A consumer says that it wants messages; they come later. */
const JOINS: ReadonlySet<string> = new Set(['consume', 'subscribe'])

/** By the names that OpenTelemetry and the protocols themselves give ("send", "Produce", "basic.deliver"). */
export function roleOf(operation: string): Role {
  const name = lastWord(operation)
  if (PUTS.has(name)) return 'produces'
  return TAKES.has(name) || JOINS.has(name) ? 'consumes' : 'other'
}

function lastWord(operation: string): string {
  return operation.toLowerCase().split('.').at(-1) ?? ''
}

/** A short name for an address: statements are long. It is the same in every browser (cyrb53). */
export function offerId(...parts: readonly string[]): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57]
  for (const char of JSON.stringify(parts)) {
    const code = char.codePointAt(0) ?? 0
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36)
}

export function idOf({ service, protocol, operation, target }: Offer): string {
  return offerId(service, protocol, operation, target)
}

/** Names of what is counted by any of them, in order of first appearance. */
export function countNames(offers: readonly Pick<Offer, 'counts'>[]): string[] {
  return [...new Set(offers.flatMap(({ counts }) => Object.keys(counts)))]
}

/** Statuses of all of them together, most frequent first, and the errors among them. */
export function totals(offers: readonly Pick<Offer, 'statuses' | 'red'>[]): { statuses: [string, number][]; errors: Record<string, number> } {
  const statuses = new Map<string, number>()
  const errors: Record<string, number> = {}
  for (const { statuses: mine, red } of offers) {
    for (const [status, n] of Object.entries(mine)) statuses.set(status, (statuses.get(status) ?? 0) + n)
    for (const [type, n] of Object.entries(red.errorsByType ?? {})) errors[type] = (errors[type] ?? 0) + n
  }
  return { statuses: [...statuses].sort((a, b) => b[1] - a[1]), errors }
}

export interface Golden {
  requests: number
  rate: number
  errors: number
  errorRatio: number
  untimed: number
}

/** What can be added up: percentiles cannot. */
export function addUp(reds: readonly RED[]): Golden {
  const sum = (pick: (red: RED) => number) => reds.reduce((total, red) => total + pick(red), 0)
  const [requests, errors] = [sum((r) => r.requests), sum((r) => r.errors)]
  return { requests, errors, rate: sum((r) => r.rate), errorRatio: requests > 0 ? errors / requests : 0, untimed: sum((r) => r.untimed ?? 0) }
}

/** A topic or queue of one broker. */
export interface Destination {
  service: string
  protocol: string
  target: string
  offers: Offer[]
  /** Observed ones; the names come busiest first. */
  producers: Caller[]
  consumers: Caller[]
  produced: Flow
  consumed: Flow
  /** All requests on it. */
  all: Golden
  /** Of the busiest way to put something in that is answered, undefined where nobody was seen to. */
  sendP95: number | undefined
  /** How far each consumer is behind, the furthest first; empty where the protocol does not tell. */
  lags: Lag[]
  /** The same of consumer groups, by what they have committed. */
  groups: GroupLag[]
}

/** What a consumer has not fetched. */
export interface Lag {
  client: string
  records: number
}

/** What a group has not committed, in the partitions that its members on this host have. */
export interface GroupLag {
  group: string
  records: number
  members: Lag[]
}

/** What goes in or out: messages where the protocol counts them, requests otherwise. */
export interface Flow {
  perSecond: number
  isMessages: boolean
  requests: number
}

/**
 * Offers and levels by destination. A consumer of several topics asks for all of them at once, so that a topic may have a lag and no offer.
 */
export function destinations(offers: readonly Offer[], levels: readonly Level[], seconds: number): Destination[] {
  const key = ({ service, protocol, target }: Offer | Level) => JSON.stringify([service, protocol, target])
  const groups = groupBy<Offer | Level, string>([...offers, ...levels.filter((l) => l.name.endsWith(LAG) || l.name.endsWith(GROUP_LAG))], key)
  return [...groups.values()].map((all) => {
    const first = all[0] as Offer | Level
    const mine = all.filter((x) => 'operation' in x)
    const told = all.filter((x) => 'value' in x)
    const of = (role: Role) => mine.filter(({ operation }) => roleOf(operation) === role)
    const [produce, consume] = [of('produces'), of('consumes')]
    return {
      service: first.service,
      protocol: first.protocol,
      target: first.target,
      offers: mine,
      producers: callersOf(produce),
      consumers: callersOf(consume),
      produced: flow(produce, 'sent_messages', seconds),
      consumed: flow(consume.filter(({ operation }) => !JOINS.has(lastWord(operation))), 'consumed_messages', seconds),
      all: addUp(mine.map(({ red }) => red)),
      sendP95: produce.filter(({ red }) => !red.untimed).sort((a, b) => b.red.requests - a.red.requests)[0]?.red.p95,
      lags: lagsOf(told.filter((l) => l.name.endsWith(LAG))),
      groups: groupsOf(told.filter((l) => l.name.endsWith(GROUP_LAG))),
    }
  })
}

function lagsOf(levels: readonly Level[]): Lag[] {
  return levels.map(({ client, value }) => ({ client, records: value })).sort((a, b) => b.records - a.records)
}

/** Members of a group may be several services: each tells of its own partitions. */
function groupsOf(levels: readonly Level[]): GroupLag[] {
  return [...groupBy(levels, (l) => l.group ?? '')]
    .map(([group, all]) => ({ group, members: lagsOf(all), records: all.reduce((sum, l) => sum + l.value, 0) }))
    .sort((a, b) => b.records - a.records)
}

/** Who is furthest behind: a group, for its work is done when it is committed, or else a consumer. */
export function furthestBehind({ groups, lags }: Pick<Destination, 'groups' | 'lags'>): { name: string; isGroup: boolean; records: number } | undefined {
  const [[group], [lag]] = [groups, lags]
  if (group) return { name: group.group, isGroup: true, records: group.records }
  return lag && { name: lag.client, isGroup: false, records: lag.records }
}

export function destinationId({ service, protocol, target }: Pick<Destination, 'service' | 'protocol' | 'target'>): string {
  return offerId(service, protocol, target)
}

/** Of several operations a caller's busiest one speaks for it. */
function callersOf(offers: readonly Offer[]): Caller[] {
  const groups = groupBy(offers.flatMap(({ callers }) => callers), ({ name }) => name)
  return [...groups.values()]
    .map((group) => [...group].sort((a, b) => b.red.requests - a.red.requests)[0] as Caller)
    .sort((a, b) => b.red.requests - a.red.requests)
}

function flow(offers: readonly Offer[], counted: string, seconds: number): Flow {
  const requests = offers.reduce((sum, { red }) => sum + red.requests, 0)
  const isMessages = offers.some(({ counts }) => counts[counted] !== undefined)
  const total = isMessages ? offers.reduce((sum, { counts }) => sum + (counts[counted] ?? 0), 0) : requests
  return { perSecond: total / seconds, isMessages, requests }
}

/** Services of a kind that several protocols reach are one each per protocol. */
export function offererId({ service, protocol }: Pick<Offerer, 'service' | 'protocol'>): string {
  return `${service}·${protocol}`
}
