import { describe, expect, it } from 'vitest'
import type { Edge, Flow, Node, TopologyReply } from '../api/topology'
import type { Reason } from '../api/types'
import { foldResolvers, hiddenKinds, isLeftOut, RESOLVERS } from './resolvers'

const reason = (signal: string): Reason => ({ signal, severity: 'warning', text: signal, value: 1, limit: 1 })
const edge = (client: string, server: string, kind = 'dns', more: Partial<Edge> = {}) =>
  ({ client, server, kind, protocol: kind, severity: 'ok', reasons: [], red: { requests: 100, errors: 0 }, ...more }) as unknown as Edge
const node = (id: string, kinds: string[], more: Partial<Node> = {}): Node =>
  ({ id, external: true, entry: false, kinds, protocols: kinds, instances: 0, severity: 'ok', reasons: [], ...more })

describe('what the map leaves out', () => {
  it.each([
    ['the whole map', undefined, undefined, ['http', 'dns'], ['dns']],
    ['a map of DNS alone', undefined, undefined, ['dns'], []],
    ['the surroundings of a service', undefined, 'shop', ['http', 'dns'], []],
    ['what the user chose', ['db'], undefined, ['http', 'dns', 'db'], ['db']],
    ['nothing, as the user chose', [], undefined, ['http', 'dns'], []],
  ])('%s', (_, chosen, focus, kinds, want) => expect(hiddenKinds(chosen, kinds.map((kind) => ({ kind })), focus)).toEqual(want))

  const failing = (types: Record<string, number>, reasons = [reason('errors')]) =>
    edge('a', 'r', 'dns', { severity: 'critical', reasons, red: { requests: 100, errors: Object.values(types).reduce((a, b) => a + b, 0), errorsByType: types } as never })
  it.each([
    ['look-ups that work', edge('a', 'r'), true],
    ['names that do not exist', failing({ NXDOMAIN: 90 }), true],
    ['a resolver that fails', failing({ NXDOMAIN: 50, SERVFAIL: 1 }), false],
    ['no answers', failing({ timeout: 100 }), false],
    ['slow answers', failing({}, [reason('latency')]), false],
    ['a client that went away', failing({}, [reason('traffic')]), true],
    ['other calls', edge('a', 'b', 'http'), false],
  ])('of its own accord: %s', (_, e, want) => expect(isLeftOut(e, ['dns'], false)).toBe(want))
  it('everything of a kind that the user left out', () => expect(isLeftOut(failing({ timeout: 100 }), ['dns'], true)).toBe(true))
})

describe('resolvers outside', () => {
  const reply = {
    nodes: [node('shop', [], { external: false }), node('8.8.8.8:53', ['dns'], { severity: 'warning', reasons: [reason('slow')] }), node('1.1.1.1:53', ['dns']),
      node('coredns', ['dns'], { external: false }), node('forwards:53', ['dns']), node('both', ['dns', 'http'])],
    edges: [edge('shop', '8.8.8.8:53'), edge('shop', '1.1.1.1:53'), edge('shop', 'coredns'), edge('shop', 'both'), edge('forwards:53', '1.1.1.1:53')],
    flows: [{ client: 'shop', server: '8.8.8.8:53' } as Flow],
  } as unknown as TopologyReply
  const ids = (focus?: string, selected?: string) => foldResolvers(reply, focus, selected).nodes.map((n) => n.id)

  it('are one node, with those who ask them', () => {
    const { nodes, edges, flows } = foldResolvers(reply, undefined, undefined)
    expect(nodes.map((n) => n.id)).toEqual(['shop', 'coredns', 'forwards:53', 'both', RESOLVERS])
    expect(nodes.at(-1)).toMatchObject({ external: true, kinds: ['dns'], severity: 'warning', reasons: [{ text: '8.8.8.8:53: slow' }] })
    expect(edges.map((e) => `${e.client}>${e.server} ${e.of ?? ''}`)).toEqual([
      `shop>${RESOLVERS} 8.8.8.8:53`, `shop>${RESOLVERS} 1.1.1.1:53`, 'shop>coredns ', 'shop>both ', `forwards:53>${RESOLVERS} 1.1.1.1:53`,
    ])
    expect(flows.map((f) => f.server)).toEqual([RESOLVERS])
  })
  it('stay where the user looks at one, or there is only one', () => {
    expect([ids('8.8.8.8:53'), ids(undefined, '8.8.8.8:53'), ids(undefined, 'shop→1.1.1.1:53')]).toEqual(Array.from({ length: 3 }, () => reply.nodes.map((n) => n.id)))
    expect(ids('shop', `shop→${RESOLVERS}`)).toContain(RESOLVERS)
  })
})
