import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { explainLoss, knownCauses } from './loss'

describe('explainLoss', () => {
  it('has words for exactly the causes that signal/loss.go names', () => {
    const source = readFileSync(new URL('../../../signal/loss.go', import.meta.url), 'utf8')
    const table = /causeNames = map\[Cause\]string\{([^}]*)\}/.exec(source)?.[1] ?? ''
    const names = [...table.matchAll(/"([a-z_]+)"/g)].map((match) => match[1])
    expect(names.length).toBeGreaterThan(10)
    expect([...knownCauses()].sort()).toEqual([...names].sort())
  })

  it('puts what makes figures too low first, then the larger count, and drops zeros', () => {
    const rows = explainLoss({ route_limit: 90, ring_full_message: 1, parser_gave_up: 5, queue_full: 0 })
    expect(rows.map((row) => row.cause)).toEqual(['parser_gave_up', 'ring_full_message', 'route_limit'])
  })

  it('shows a cause that it does not know', () => {
    expect(explainLoss({ new_cause: 2 }).map((row) => [row.title, row.count, row.isUndercount])).toEqual([['new cause', 2, true]])
  })
})
