import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatExact, formatLatency, formatRate, formatRatio, formatSpan, plural } from './format'

/** Tests write ordinary spaces. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [1, '1/s'],
    [1234, '1.23 k/s'],
    [999.6, '1 k/s'],
    [12.34, '12.3/s'],
    [0.5, '0.5/s'],
    [0.05, '3/min'],
    [1 / 3600, '1/h'],
    [2.5e6, '2.5 M/s'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('rate %s is %s', (value, text) => expect(plain(formatRate(value))).toBe(text))

  it.each([
    [0, '0'],
    [0.0342, '34.2 ms'],
    [0.000_000_5, '0.5 µs'],
    [0.000_812, '812 µs'],
    [0.9999, '1 s'],
    [0.99949, '999 ms'],
    [0.000_999_7, '1 ms'],
    [12.04, '12 s'],
    [150, '2 min 30 s'],
    [undefined, '–'],
    [0, '0'],
    [2.6e-33, '–'],
  ])('duration %s s is %s', (value, text) => expect(plain(formatDuration(value))).toBe(text))

  it.each([
    [0, '0 %'],
    [0.0012, '0.12 %'],
    [0.000_01, '< 0.01 %'],
    [0.125, '12.5 %'],
    [0.999_99, '> 99.9 %'],
    [1, '100 %'],
    [null, '–'],
  ])('ratio %s is %s', (value, text) => expect(plain(formatRatio(value))).toBe(text))

  it.each([
    [9999, '9 999'],
    [10_000, '10 k'],
    [999_600, '1 M'],
    [1.5, '1.5'],
    [0, '0'],
  ])('count %s is %s', (value, text) => expect(plain(formatCount(value))).toBe(text))

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [16 * 2 ** 20, '16 MiB'],
    [3 * 2 ** 40, '3 TiB'],
  ])('%s bytes is %s', (value, text) => expect(plain(formatBytes(value))).toBe(text))

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [3600, '1 h'],
    [90_061, '1 d 1 h'],
    [86_400 * 15, '15 d'],
  ])('a span of %s s is %s', (value, text) => expect(plain(formatSpan(value))).toBe(text))

  it('is exact where it has to be', () => expect(plain(formatExact(1_234_567))).toBe('1 234 567'))
  it('counts in words', () => expect([plural(1, 'service'), plural(3, 'service')]).toEqual(['1 service', '3 services']))
})

it('latencies of what was not timed are none', () => {
  expect([undefined, null, 0, 1e-33, 0.0042].map(formatLatency)).toEqual(['–', '–', '–', '–', formatDuration(0.0042)])
})
