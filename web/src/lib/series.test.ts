import { describe, expect, it } from 'vitest'
import { commonMax, latest, sortStatuses, stack, statusColor } from './series'
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

it('statuses are sorted and coloured by their first digit; words are errors', () => {
  expect(sortStatuses(['timeout', '503', '2xx', '404'])).toEqual(['2xx', '404', '503', 'timeout'])
  expect(['200', '4xx', '503', 'timeout'].map(statusColor)).toEqual(['--chart-2xx', '--chart-4xx', '--chart-5xx', '--chart-5xx'])
})

describe('sparklines', () => {
  it('break at gaps', () => expect(stretches([null, 1, 2, null, 3])).toEqual([[1, 2], [4, 4]]))
  it('put zero at the bottom and the maximum at the top', () => expect(linePath([0, 10], 100, 20, 10)).toBe('M0.0,19.0L100.0,1.0'))
  it('show a single value as a dot', () => expect(linePath([null, 5, null], 100, 20, 10)).toBe('M50.0,10.0h0.1'))
  it('draw nothing for nothing', () => expect([linePath([], 9, 9, 1), areaPath([null], 9, 9, 1)]).toEqual(['', '']))
  it('never leave the frame', () => expect(areaPath([20, -5], 10, 10, 10)).toBe('M0.0,9L0.0,1.0L10.0,9.0L10.0,9Z'))
})
