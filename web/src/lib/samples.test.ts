import { describe, expect, it } from 'vitest'
import { describeOutcome, sampleId, shownAttributes } from './samples'

describe('describeOutcome', () => {
  it.each([
    [{ status: '500', error: '500', failed: true, slow: false }, '500'],
    [{ status: '200', error: '', failed: false, slow: true }, '200, slow'],
    [{ status: '', error: 'connection_reset', failed: true, slow: true }, 'connection reset, slow'],
    [{ status: 'ERR', error: 'WRONGTYPE', failed: true, slow: false }, 'ERR, WRONGTYPE'],
  ])('%j', (sample, want) => expect(describeOutcome(sample)).toBe(want))
})

describe('sampleId', () => {
  it('tells requests of one moment apart', () => {
    const sample = { time: 1, duration: 0.1, instance: 'a', operation: 'GET', target: '/' }
    expect(sampleId(sample)).not.toBe(sampleId({ ...sample, duration: 0.2 }))
  })
})

describe('shownAttributes', () => {
  it('puts the fixed facts first and the others in order', () => {
    const rows = shownAttributes({ protocol: 'http', instance: 'h:1', partial: true, attributes: { z: '1', a: '2' } })
    expect(rows.map(([name]) => name)).toEqual(['Protocol', 'Instance', 'Seen', 'a', 'z'])
  })
})
