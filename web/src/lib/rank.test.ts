import { describe, expect, it } from 'vitest'
import { matches, nextSort, sortRows } from './rank'

describe('sortRows', () => {
  const rows = [{ n: 2, s: 'b10' }, { n: undefined, s: 'b9' }, { n: 1, s: 'a' }, { n: 2, s: 'c' }]
  const value = (row: (typeof rows)[number], column: string) => (column === 'n' ? row.n : row.s)
  it.each([
    ['given order without a column', undefined, 'b10 b9 a c'],
    ['ascending, nothing last', { column: 'n', direction: 'asc' } as const, 'a b10 c b9'],
    ['descending, nothing last, equals in given order', { column: 'n', direction: 'desc' } as const, 'b10 c a b9'],
    ['text with numbers in it', { column: 's', direction: 'asc' } as const, 'a b9 b10 c'],
  ])('%s', (_, sort, want) => {
    expect(sortRows(rows, sort, value).map((r) => r.s).join(' ')).toBe(want)
  })
})

describe('matches', () => {
  it.each([
    ['', true],
    ['CHECK', true],
    ['go check', true],
    ['check java', false],
    ['  out  ', true],
  ])('%j', (search, want) => expect(matches(search, 'checkout', 'Go', undefined)).toBe(want))
})

describe('nextSort', () => {
  it('goes through most, least, given order', () => {
    const first = nextSort(undefined, 'rate', false)
    const second = nextSort(first, 'rate', false)
    expect([first?.direction, second?.direction, nextSort(second, 'rate', false)]).toEqual(['desc', 'asc', undefined])
    expect(nextSort(first, 'name', true)).toEqual({ column: 'name', direction: 'asc' })
  })
})
