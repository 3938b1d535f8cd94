import { expect, it } from 'vitest'
import type { Severity } from '../api/types'
import { bundleEdges, withoutCalls, type Call } from './bundle'

const call = (client: string, server: string, protocol: string, requests: number, errors = 0, severity: Severity = 'ok'): Call => ({
  client, server, protocol, severity, red: { requests, errors, rate: requests / 10, p95: 0.01 },
})

it('there is one bundle for each pair and direction', () => {
  const bundles = bundleEdges([call('a', 'b', 'http', 10), call('b', 'a', 'http', 10), call('a', 'b', 'grpc', 30), call('a', 'a', 'http', 1)])
  expect(bundles.map((b) => `${b.client}>${b.server} ${b.edges.map((e) => e.protocol).join('+')}`)).toEqual(['a>b grpc+http', 'b>a http', 'a>a http'])
})

it('rates and errors add up, the worst protocol comes first and gives the severity', () => {
  const [bundle] = bundleEdges([call('a', 'b', 'http', 90), call('a', 'b', 'mysql', 10, 5, 'critical'), call('a', 'b', 'redis', 100)])
  expect(bundle?.edges.map((e) => e.protocol)).toEqual(['mysql', 'redis', 'http'])
  expect([bundle?.rate, bundle?.errorRatio, bundle?.severity, bundle?.p95]).toEqual([20, 5 / 200, 'critical', undefined])
})

it('hidden calls are left out, and nodes with no other', () => {
  const edge = (client: string, server: string, kind: string) => ({ ...call(client, server, kind, 1), kind })
  const nodes = ['a', 'b', 'resolver', 'asker', 'alone'].map((id) => ({ id }))
  const edges = [edge('a', 'b', 'http'), edge('a', 'resolver', 'dns'), edge('asker', 'resolver', 'dns')]
  const shown = withoutCalls(nodes, edges, (e) => e.kind === 'dns')
  expect([shown.nodes.map((n) => n.id), shown.edges.length]).toEqual([['a', 'b', 'alone'], 1])
  expect(withoutCalls(nodes, edges, () => false).nodes).toHaveLength(5)
})

it('a single protocol keeps its percentile, no requests are no errors', () => {
  const [bundle] = bundleEdges([call('a', 'b', 'http', 0)])
  expect([bundle?.p95, bundle?.errorRatio]).toEqual([0.01, 0])
})

it('names that contain the separator stay apart', () => {
  expect(bundleEdges([call('a","b', 'c', 'http', 1), call('a', 'b","c', 'http', 1)])).toHaveLength(2)
})
