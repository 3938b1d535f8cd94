// What each page shows, in words.

import type { OfferPage } from '../../lib/url'

export interface Lens {
  kinds: readonly string[]
  title: string
  /** What offers: "database". */
  offerer: string
  offerers: string
  /** What is offered: "statement". */
  offer: string
  offers: string
  /** Heading of the column of what offers. */
  place: string
}

export const LENSES: Record<OfferPage, Lens> = {
  databases: {
    kinds: ['db', 'cache'], title: 'Databases and caches', offerer: 'database', offerers: 'databases', offer: 'statement', offers: 'statements', place: 'Database',
  },
  queues: {
    kinds: ['messaging'], title: 'Queues and topics', offerer: 'broker', offerers: 'brokers', offer: 'destination', offers: 'destinations', place: 'Broker',
  },
  dns: {
    kinds: ['dns'], title: 'DNS', offerer: 'server', offerers: 'servers', offer: 'name', offers: 'names', place: 'Server',
  },
  rpc: {
    kinds: ['rpc'], title: 'Remote procedure calls', offerer: 'service', offerers: 'services', offer: 'method', offers: 'methods', place: 'Service',
  },
}
