import { SegmentedControl } from '@mantine/core'
import { Fragment } from 'react'
import { useSamples, type Sample, type SampleKind } from '../../api/samples'
import { Link, navigate } from '../../components/navigation'
import { Panel } from '../../components/Panel'
import { formatBytes, formatDuration } from '../../lib/format'
import { protocolName } from '../../lib/protocol'
import { describeOutcome, sampleId, shownAttributes } from '../../lib/samples'
import { clock } from '../../lib/time'
import { serviceFrom, type ServiceView } from '../../lib/url'

const KINDS: { value: SampleKind; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'failed', label: 'Failed' },
  { value: 'slow', label: 'Slow' },
]

/** Examples of what was slow or failed, newest first; a row opens to what was said. */
export function Samples({ view, side }: { view: ServiceView; side: string }) {
  const kind = view.samples
  const query = useSamples(view.service, side, kind)
  const reply = query.data
  const note = reply?.enabled ? `${reply.samples.length}${reply.more ? ' newest' : ''}, secrets taken out` : undefined
  return (
    <Panel
      title="Slow and failed requests"
      note={note}
      isFlush
      actions={<SegmentedControl size="xs" data={KINDS} value={kind} onChange={(samples) => navigate({ ...view, samples, sample: undefined }, true)} aria-label="Which requests" />}
    >
      {!reply && <p className="table-empty">{query.error ? query.error.message : 'Loading…'}</p>}
      {reply && reply.samples.length === 0 && <Nothing isEnabled={reply.enabled} slowThreshold={reply.slowThreshold} kind={kind} />}
      {reply && reply.samples.length > 0 && (
        <table className="table samples" aria-label="Slow and failed requests">
          <colgroup>
            <col style={{ width: '104px' }} />
            <col />
            <col style={{ width: '16%' }} />
            <col style={{ width: '92px' }} />
            <col style={{ width: '18%' }} />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Request</th>
              <th scope="col">Outcome</th>
              <th scope="col" className="number">
                Duration
              </th>
              <th scope="col">{side === 'client' ? 'To' : 'Caller'}</th>
            </tr>
          </thead>
          <tbody>
            {reply.samples.map((sample) => {
              const id = sampleId(sample)
              const isOpen = view.sample === id
              return <Row key={id} view={view} sample={sample} isOpen={isOpen} onToggle={() => navigate({ ...view, sample: isOpen ? undefined : id }, true)} />
            })}
          </tbody>
        </table>
      )}
    </Panel>
  )
}

function Nothing({ isEnabled, slowThreshold, kind }: { isEnabled: boolean; slowThreshold: number; kind: SampleKind }) {
  const limit = formatDuration(slowThreshold)
  const text = {
    all: `No request failed or took longer than ${limit} in this time range.`,
    slow: `No request took longer than ${limit} in this time range.`,
    failed: 'No request failed in this time range.',
  }
  return <p className="table-empty">{isEnabled ? `${text[kind]} Only some of them are kept each second.` : 'What requests said is not kept: Sonde was started with --content=false.'}</p>
}

interface RowProps {
  view: ServiceView
  sample: Sample
  isOpen: boolean
  onToggle: () => void
}

function Row({ view, sample, isOpen, onToggle }: RowProps) {
  const isTold = sample.target.toUpperCase().startsWith(sample.operation.toUpperCase())
  return (
    <Fragment>
      <tr className="row-link" style={{ height: 36 }} data-open={isOpen}>
        <td>
          <button type="button" className="sample-toggle stretched tabular" aria-expanded={isOpen} onClick={onToggle}>
            {clock(sample.time)}
          </button>
        </td>
        <td>
          <span className="interface-name" title={`${sample.operation} ${sample.target}`}>
            {!isTold && <span className="method">{sample.operation}</span>}
            <code className="ellipsis">{sample.target}</code>
          </span>
        </td>
        <td>
          <span className={sample.failed ? 'text-critical' : 'text-warning'}>{describeOutcome(sample)}</span>
        </td>
        <td className={sample.slow ? 'number cell-warm' : 'number'}>{formatDuration(sample.duration)}</td>
        <td className="sample-peer">{sample.peer && <Link to={serviceFrom(view, sample.peer)}>{sample.peer}</Link>}</td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={5} className="sample-open">
            <Opened sample={sample} />
          </td>
        </tr>
      )}
    </Fragment>
  )
}

function Opened({ sample }: { sample: Sample }) {
  return (
    <>
      <dl className="sample-facts">
        {shownAttributes(sample).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="ellipsis" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <div className="sample-texts">
        <Said title="Request" text={sample.request} bytes={sample.requestBytes} isCut={sample.requestCut} />
        <Said title="Response" text={sample.response} bytes={sample.responseBytes} isCut={sample.responseCut} fallback={answerOf(sample)} />
      </div>
    </>
  )
}

/** What is known of an answer whose text is not. */
function answerOf(sample: Sample): string {
  if (sample.status) return `${protocolName(sample.protocol)} answered ${sample.status}; what else it said is not read.`
  return sample.error ? `There was no complete answer: ${sample.error}.` : 'What was answered is not read.'
}

function Said({ title, text, bytes, isCut, fallback = '' }: { title: string; text: string; bytes: number; isCut: boolean; fallback?: string }) {
  return (
    <section aria-label={title}>
      <h3>
        {title} <span className="faint">body {formatBytes(bytes)}</span>
      </h3>
      {text ? (
        <pre>
          {text}
          {isCut && <span className="faint">{'\n'}… the rest was not kept</span>}
        </pre>
      ) : (
        <p className="faint">{fallback}</p>
      )}
    </section>
  )
}
