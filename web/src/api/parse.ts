// Go writes a nil slice or map as null. In the contract null has no other meaning, except as an element of a series.

/** The fields of the contract that are maps; every other null field is a list. */
const MAPS: ReadonlySet<string> = new Set(['causes', 'counts', 'errorsByType', 'lost', 'status', 'statuses'])

/** Like JSON.parse, with empty lists and maps in place of null. Nulls inside lists stay: they are gaps in a series. */
export function parseReply(text: string): unknown {
  return JSON.parse(text, function (this: unknown, key: string, value: unknown) {
    if (value !== null || Array.isArray(this) || key === '') return value
    return MAPS.has(key) ? {} : []
  })
}
