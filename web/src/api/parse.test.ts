import { expect, it } from 'vitest'
import { parseReply } from './parse'

// The left sides are what encoding/json writes for nil slices, nil maps, empty ones and slices of nil pointers.
it.each([
  ['{"services":null,"loss":{"total":0,"causes":null}}', { services: [], loss: { total: 0, causes: {} } }],
  ['{"series":{"time":[1,2],"rate":[null,2],"status":{"2xx":[null,null]}}}', { series: { time: [1, 2], rate: [null, 2], status: { '2xx': [null, null] } } }],
  ['{"series":{"status":null},"reasons":[]}', { series: { status: {} }, reasons: [] }],
  ['null', null],
])('%s', (text, want) => expect(parseReply(text)).toEqual(want))
