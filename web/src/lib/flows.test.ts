import { describe, expect, it } from 'vitest'
import type { Edge, Flow, Node } from '../api/topology'
import { addUpFlows, areShownByDefault, isEncrypted, rawFlows, withEnds } from './flows'

const flow = (client: string, server: string, bytes: number, more: Partial<Flow> = {}): Flow => ({
  client, server, protocol: 'tcp', seen: 'both', clientExternal: false, serverExternal: false, opened: 1, resets: 0, retransmits: 0,
  requestBytes: bytes, responseBytes: 0, roundTrip: 0, serverNames: [], ...more,
})
const edge = (client: string, server: string, protocol = 'http') => ({ client, server, protocol }) as Edge
const node = (id: string) => ({ id }) as Node
const outside = (client: string, server: string) => flow(client, server, 1, { clientExternal: true, seen: 'server' })

const shown = (raw: ReturnType<typeof rawFlows>) => [raw.flows.map((f) => `${f.client}>${f.server} ${f.requestBytes}`), raw.nodes.map((n) => n.id)]

describe('raw flows', () => {
  it('are those between pairs that no call connects, the busiest first', () => {
    const raw = rawFlows({ nodes: [node('a'), node('b')], edges: [edge('a', 'b')], flows: [flow('a', 'b', 9), flow('b', 'a', 5), flow('a', 'c', 7)] })
    expect(shown(raw)).toEqual([['a>c 7', 'b>a 5'], ['c']])
  })
  it('of one pair are one, whatever they speak', () => {
    const tls = { protocol: 'tls', roundTrip: 0.02, serverNames: ['api.example'] }
    const raw = rawFlows({ nodes: [], edges: [], flows: [flow('a', 'x:443', 3), flow('a', 'x:443', 40, { ...tls, serverExternal: true, resets: 1 })] })
    expect(raw.flows).toMatchObject([{ client: 'a', server: 'x:443', requestBytes: 43, opened: 2, resets: 1, protocol: 'tls', roundTrip: 0.02, serverNames: ['api.example'] }])
    expect(raw.nodes.map((n) => [n.id, n.external, n.entry])).toEqual([['a', false, true], ['x:443', true, false]])
  })
  it('of many strangers to one service are one, of those that are on the map anyhow are not', () => {
    const strangers = ['1.1.1.1', '2.2.2.2', '3.3.3.3'].map((ip) => outside(ip, 'sshd'))
    const raw = rawFlows({ nodes: [node('9.9.9.9')], edges: [edge('9.9.9.9', 'web')], flows: [...strangers, outside('9.9.9.9', 'sshd'), outside('4.4.4.4', 'smtp')] })
    expect(shown(raw)).toEqual([['3 clients of sshd>sshd 3', '4.4.4.4>smtp 1', '9.9.9.9>sshd 1'], ['3 clients of sshd', 'sshd', '4.4.4.4', 'smtp']])
  })
  it('are bounded, and what is left out is counted', () => {
    const many = Array.from({ length: 130 }, (_, i) => flow('a', `s${i}`, i))
    const raw = rawFlows({ nodes: [], edges: [], flows: many })
    expect([raw.flows.length, raw.left, raw.flows[0]?.server]).toEqual([100, 30, 's129'])
    expect([areShownByDefault(raw), areShownByDefault(rawFlows({ nodes: [], edges: [], flows: many.slice(0, 25) }))]).toEqual([false, true])
  })
})

it('a service whose calls are left out stays where it has flows', () => {
  const all = ['a', 'b', 'c', 'd'].map(node)
  expect(withEnds(all.slice(2, 3), all, [flow('a', 'x', 1)]).map((n) => n.id)).toEqual(['a', 'c'])
})

it('a round trip that is not known is none', () => expect(addUpFlows([flow('a', 'b', 1)]).roundTrip).toBeUndefined())

it.each([[['tls'], true], [['tls', 'http'], false], [['http'], false], [[], false]])('%j is encrypted: %s', (protocols, want) => {
  expect(isEncrypted(protocols.map((protocol) => ({ protocol })))).toBe(want)
})
