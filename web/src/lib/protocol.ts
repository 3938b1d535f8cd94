// How protocols and their kinds are called.

import type { OfferPage } from './url'

/** Of protocols whose name is more than capital letters. */
const NAMES: Record<string, string> = {
  mysql: 'MySQL',
  postgresql: 'PostgreSQL',
  redis: 'Redis',
  memcached: 'memcached',
  mongodb: 'MongoDB',
  cassandra: 'Cassandra',
  clickhouse: 'ClickHouse',
  kafka: 'Kafka',
  rocketmq: 'RocketMQ',
  grpc: 'gRPC',
  dubbo: 'Dubbo',
  thrift: 'Thrift',
  fastcgi: 'FastCGI',
  elasticsearch: 'Elasticsearch',
  opensearch: 'OpenSearch',
  graphql: 'GraphQL',
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  ollama: 'Ollama',
}

export function protocolName(protocol: string): string {
  return NAMES[protocol] ?? protocol.toUpperCase()
}

/** Kinds that are worth an icon and the protocol's name: nobody needs to be told that a service speaks HTTP. */
export function isBackend(kind: string | undefined): boolean {
  return kind === 'db' || kind === 'cache' || kind === 'messaging' || kind === 'dns'
}

const KINDS: readonly [string, string][] = [
  ['http', 'HTTP'],
  ['rpc', 'RPC'],
  ['db', 'Databases'],
  ['cache', 'Caches'],
  ['messaging', 'Queues'],
  ['dns', 'DNS'],
  ['other', 'Other'],
]

export interface KindName {
  kind: string
  name: string
}

/** The kinds that occur, always in the same order. */
export function kindsOf(edges: readonly { kind: string }[]): KindName[] {
  const found = new Set(edges.map((e) => e.kind))
  return KINDS.filter(([kind]) => found.has(kind)).map(([kind, name]) => ({ kind, name }))
}

/** The page that lists what services of a kind offer. */
export function pageOf(kind: string | undefined): OfferPage | undefined {
  switch (kind) {
    case 'db':
    case 'cache':
      return 'databases'
    case 'messaging':
      return 'queues'
    case 'dns':
    case 'rpc':
      return kind
    default:
      return undefined
  }
}

/** "Returned rows" for returned_rows. */
export function countName(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** As short as tells them apart: the last words ("Rows", "Keys"), or the first where the last are the same ("Returned", "Affected"). */
export function shortCountNames(names: readonly string[]): string[] {
  const last = names.map((name) => name.split('_').at(-1) ?? name)
  const pick = new Set(last).size === names.length ? last : names.map((name) => name.split('_')[0] ?? name)
  return pick.map(countName)
}
