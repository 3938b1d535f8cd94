// How slow and failed requests are told.

import type { Sample } from '../api/samples'
import { offerId } from './offers'
import { protocolName } from './protocol'

/** "500", "timeout", "OK, slow": what went wrong, never the same word twice. */
export function describeOutcome(sample: Pick<Sample, 'status' | 'error' | 'failed' | 'slow'>): string {
  const words = [sample.status, sample.failed && sample.error !== sample.status ? sample.error.replaceAll('_', ' ') : '', sample.slow ? 'slow' : '']
  return words.filter(Boolean).join(', ')
}

/** For an address. It stays the same while newer ones come in above: the row that is open stays open. */
export function sampleId({ time, duration, instance, operation, target }: Pick<Sample, 'time' | 'duration' | 'instance' | 'operation' | 'target'>): string {
  return offerId(String(time), String(duration), instance, operation, target)
}

/** Facts beside the texts, the fixed ones first. */
export function shownAttributes(sample: Pick<Sample, 'protocol' | 'instance' | 'partial' | 'attributes'>): [string, string][] {
  const facts: [string, string][] = [
    ['Protocol', protocolName(sample.protocol)],
    ['Instance', sample.instance],
  ]
  if (sample.partial) facts.push(['Seen', 'in part: bytes were lost'])
  return [...facts, ...Object.entries(sample.attributes).sort(([a], [b]) => a.localeCompare(b))]
}
