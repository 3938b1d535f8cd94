import { expect, it } from 'vitest'
import { countName, isBackend, kindsOf, protocolName, shortCountNames } from './protocol'

it('protocols are called by their own spelling, others in capitals', () => {
  expect(['postgresql', 'grpc', 'http', 'amqp'].map(protocolName)).toEqual(['PostgreSQL', 'gRPC', 'HTTP', 'AMQP'])
})

it('counts are called in words', () => expect(countName('returned_rows')).toBe('Returned rows'))

it.each([
  [['returned_rows'], ['Rows']],
  [['returned_rows', 'affected_rows'], ['Returned', 'Affected']],
  [['sent_messages', 'read_keys'], ['Messages', 'Keys']],
  [[], []],
])('short names of %j', (names, want) => expect(shortCountNames(names)).toEqual(want))

it('kinds are named in one order, whichever comes first', () => {
  expect(kindsOf([{ kind: 'dns' }, { kind: 'http' }, { kind: 'dns' }, { kind: 'nonsense' }]).map((k) => k.name)).toEqual(['HTTP', 'DNS'])
})

it('backends are what a service keeps its things in', () => {
  expect(['db', 'cache', 'messaging', 'dns', 'http', 'rpc', 'other', undefined].filter(isBackend)).toEqual(['db', 'cache', 'messaging', 'dns'])
})
