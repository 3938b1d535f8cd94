import { describe, expect, it } from 'vitest'
import { commonMax, latest, sortStatuses, stack, statusColors, statusTone } from './series'
import { areaPath, linePath, stretches } from './spark'

describe('stack', () => {
  it('adds from below and keeps gaps only where all are gaps', () => {
    expect(stack([[1, null, null], [2, 3, null]])).toEqual([[1, null, null], [3, 3, null]])
  })
})

it('latest finds the last value, whatever follows it', () => {
  expect([latest([1, 0, null]), latest([null]), latest([])]).toEqual([0, null, null])
})

it('commonMax looks at all siblings', () => {
  expect([commonMax([[1, null], [4]]), commonMax([])]).toEqual([4, 0])
})

it('statuses are sorted by number, words last', () => {
  expect(sortStatuses(['timeout', '503', '2xx', '404'])).toEqual(['2xx', '404', '503', 'timeout'])
})

it('statuses are toned by class for HTTP, by errors for all others', () => {
  const tones = (statuses: string[], isHTTP: boolean) => statuses.map((status) => statusTone(status, { 1064: 3, NXDOMAIN: 1 }, isHTTP))
  expect(tones(['200', '304', '404', '503'], true)).toEqual(['ok', 'ok', 'rejected', 'failed'])
  expect(tones(['1064', 'OK', 'NXDOMAIN', '404', '503'], false)).toEqual(['failed', 'ok', 'failed', 'ok', 'ok'])
})

it('statuses are coloured likewise; plain ones are told apart', () => {
  expect(statusColors(['2xx', '4xx', '5xx', 'none'], undefined)).toEqual(['--chart-2xx', '--chart-4xx', '--chart-5xx', '--chart-other'])
  expect(statusColors(['NOERROR', 'NXDOMAIN', 'SERVFAIL'], { SERVFAIL: 2 })).toEqual(['--chart-2xx', '--chart-3xx', '--chart-5xx'])
  expect(statusColors(['40001', 'none'], { 40001: 1 })).toEqual(['--chart-5xx', '--chart-2xx'])
})

describe('sparklines', () => {
  it('break at gaps', () => expect(stretches([null, 1, 2, null, 3])).toEqual([[1, 2], [4, 4]]))
  it('put zero at the bottom and the maximum at the top', () => expect(linePath([0, 10], 100, 20, 10)).toBe('M0.0,19.0L100.0,1.0'))
  it('show a single value as a dot', () => expect(linePath([null, 5, null], 100, 20, 10)).toBe('M50.0,10.0h0.1'))
  it('draw nothing for nothing', () => expect([linePath([], 9, 9, 1), areaPath([null], 9, 9, 1)]).toEqual(['', '']))
  it('never leave the frame', () => expect(areaPath([20, -5], 10, 10, 10)).toBe('M0.0,9L0.0,1.0L10.0,9.0L10.0,9Z'))
})
