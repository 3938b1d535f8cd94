import { describe, expect, it } from 'vitest'
import { absoluteRange, clockOffset, durationCode, fromInputValue, parseDurationCode, PRESETS, rangeLabel, resolveRange, toInputValue } from './time'

describe('durations in addresses', () => {
  it.each([...PRESETS.map((p) => [p.seconds, p.short] as const), [90, '90s'] as const, [129_600, '36h'] as const])('%i s is %s', (seconds, code) => {
    expect(parseDurationCode(durationCode(seconds))).toBe(seconds)
    // 24 h is the same range as a day.
    expect(code === '24h' ? '1d' : code).toBe(durationCode(seconds))
  })
  it.each(['', '5', 'm', '-5m', '5y', '0s', '5m ', '9999999m'])('%j is none', (code) => expect(parseDurationCode(code)).toBeUndefined())
})

it('a relative range ends now, in whole seconds', () => {
  expect(resolveRange({ kind: 'relative', seconds: 300 }, 1000.9)).toEqual({ start: 700, end: 1000 })
})

it('a dragged range has whole seconds, the right order and a least length', () => {
  expect(absoluteRange(105.7, 100.2)).toEqual({ kind: 'absolute', start: 100, end: 110 })
  expect(absoluteRange(Number.NaN, 5)).toBeUndefined()
})

it('the time fields give back what they were given', () => {
  expect(fromInputValue(toInputValue(1_795_000_123))).toBe(1_795_000_123)
  expect(fromInputValue('')).toBeUndefined()
})

it('ranges have names', () => {
  expect(rangeLabel({ kind: 'relative', seconds: 3600 })).toBe('Last hour')
  expect(rangeLabel({ kind: 'relative', seconds: 7200 })).toBe('Last 2h')
})

it.each([
  ['Sat, 21 Nov 2026 10:00:00 GMT', 0, 0],
  ['Sat, 21 Nov 2026 10:00:05 GMT', 0, 0],
  ['Sat, 21 Nov 2026 10:10:00 GMT', 0, 600],
  ['Sat, 21 Nov 2026 10:10:02 GMT', 600, 600],
  ['Sat, 21 Nov 2026 10:00:00 GMT', 600, 0],
  ['Sat, 21 Nov 2026 09:59:00 GMT', 0, -60],
  ['nonsense', 7, 7],
  [null, 0, 0],
])('a server that says %s, known to be %i s ahead, is %i s ahead', (date, known, offset) => {
  expect(clockOffset(date, Date.UTC(2026, 10, 21, 10), known)).toBe(offset)
})
