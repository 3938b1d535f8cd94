import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

// server/query/types.go is the contract. This compares its structs with the interfaces of src/api, field by field: name,
// whether it may be absent, and the kind of its type.

type Fields = Record<string, string>

function goStructs(source: string): Record<string, Fields> {
  const structs: Record<string, Fields> = {}
  for (const [, name = '', body = ''] of source.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
    const fields: Fields = {}
    for (const [, base = ''] of body.matchAll(/^\t([A-Z]\w+)$/gm)) fields.extends = base
    for (const [, type = '', json = ''] of body.matchAll(/^\t\w+\s+(\S+)\s+`json:"([^"]+)"`/gm)) {
      const [field = '', option] = json.split(',')
      fields[field + (option === 'omitempty' ? '?' : '')] = goKind(type)
    }
    structs[name] = fields
  }
  return structs
}

function goKind(type: string): string {
  if (type.startsWith('[]')) return `${goKind(type.slice(2)).replace(/^(.*)$/, type.startsWith('[]*') ? '($1 | null)' : '$1')}[]`
  if (type.startsWith('map[string]')) return `Record<string, ${goKind(type.slice('map[string]'.length))}>`
  if (type.startsWith('*')) return goKind(type.slice(1))
  return { float64: 'number', int: 'number', string: 'string', bool: 'boolean' }[type] ?? type
}

function tsInterfaces(source: string): Record<string, Fields> {
  const found: Record<string, Fields> = {}
  for (const [, name = '', base, body = ''] of source.matchAll(/^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}/gms)) {
    const fields: Fields = base ? { extends: base } : {}
    for (const [, field = '', type = ''] of body.matchAll(/^ {2}(\w+\??): (.+)$/gm)) fields[field] = type
    found[name] = fields
  }
  return found
}

const go = goStructs(readFileSync(new URL('../../../server/query/types.go', import.meta.url), 'utf8'))
const ts = tsInterfaces(
  ['types', 'services', 'topology', 'service', 'interfaces', 'samples', 'status'].map((name) => readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8')).join('\n'),
)

describe('the contract with the query API', () => {
  it('is found on both sides', () => expect(Object.keys(ts).length).toBeGreaterThan(15))
  it.each(Object.keys(ts))('%s', (name) => expect(ts[name]).toEqual(go[name]))
  it('lacks no reply', () => expect(Object.keys(go).filter((name) => name !== 'ErrorReply' && !(name in ts))).toEqual([]))
})
