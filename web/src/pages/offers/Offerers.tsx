import { useState } from 'react'
import type { Offerer } from '../../api/interfaces'
import { KindIcon, MapIcon } from '../../components/icons'
import { Link, navigate } from '../../components/navigation'
import { SeverityMark } from '../../components/Severity'
import { formatLatency, formatRate, formatRatio, plural } from '../../lib/format'
import { offererId } from '../../lib/offers'
import { protocolName } from '../../lib/protocol'
import { mapFrom, type OffersView } from '../../lib/url'

/** Two rows of cards on a wide screen: the worst and the busiest. */
const SHOWN = 8

/** Who answers: each with its golden signals. A click keeps only what it offers. */
export function Offerers({ view, offerers }: { view: OffersView; offerers: readonly Offerer[] }) {
  const [isWhole, setWhole] = useState(false)
  const hidden = isWhole ? 0 : offerers.length - SHOWN
  const shown = hidden > 0 ? offerers.filter((o, i) => i < SHOWN || o.service === view.of) : offerers
  return (
    <section aria-label="Who answers">
      <ul className="offerers">
        {shown.map((offerer) => (
          <OffererCard key={offererId(offerer)} view={view} offerer={offerer} />
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" className="text-button" onClick={() => setWhole(true)}>
          Show {hidden} more
        </button>
      )}
    </section>
  )
}

function OffererCard({ view, offerer }: { view: OffersView; offerer: Offerer }) {
  const { service, red, severity, reasons, callers } = offerer
  const isChosen = view.of === service
  const tone = (signal: string) => {
    const reason = reasons.find((r) => r.signal === signal)
    return reason ? `text-${reason.severity}` : ''
  }
  const figures = [
    { name: 'Requests', value: formatRate(red.rate), tone: '' },
    { name: 'Errors', value: formatRatio(red.errorRatio), tone: tone('errors') },
    { name: 'P50', value: formatLatency(red.p50), tone: '' },
    { name: 'P95', value: formatLatency(red.p95), tone: tone('latency') || tone('slow') },
  ]
  return (
    <li className="offerer" data-severity={severity} data-selected={isChosen} data-offerer={service}>
      <div className="offerer-head">
        {severity === 'ok' ? <KindIcon kind={offerer.kind} /> : <SeverityMark severity={severity} />}
        <button
          type="button"
          className="ellipsis offerer-name"
          aria-pressed={isChosen}
          title={isChosen ? 'Show all again' : `Show only ${service}`}
          onClick={() => navigate({ ...view, of: isChosen ? undefined : service, selected: undefined }, true)}
        >
          {service}
        </button>
        <Link to={mapFrom(view, service)} className="offerer-map" aria-label={`${service} on the map`} title="On the map">
          <MapIcon width={14} height={14} />
        </Link>
      </div>
      <p className="offerer-facts">
        {protocolName(offerer.protocol)}
        {offerer.external && ' · not on this host'}
        <span title={callers.join('\n')}> · {plural(callers.length, 'caller')}</span>
      </p>
      {reasons[0] && (
        <p className={`offerer-reason text-${severity}`} title={reasons.map((r) => r.text).join('\n')}>
          {reasons[0].text}
        </p>
      )}
      <dl className="offerer-figures">
        {figures.map((figure) => (
          <div key={figure.name}>
            <dt>{figure.name}</dt>
            <dd className={figure.tone}>{figure.value}</dd>
          </div>
        ))}
      </dl>
    </li>
  )
}
