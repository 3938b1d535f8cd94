import { expect, test } from 'vitest'
import { alone, linePath } from './spark'

test('values without neighbours are told apart', () => {
  expect(alone([])).toEqual([])
  expect(alone([null, 1, 2, null, undefined])).toEqual([])
  expect(alone([3, null, 1, 2, null, 0, undefined, 7])).toEqual([0, 5, 7])
})

test('a line of one value is drawn as a dot, and breaks where nothing is known', () => {
  expect(linePath([1, null, 2, 0], 30, 12, 2)).toBe('M0.0,6.0h0.1M20.0,1.0L30.0,11.0')
})
