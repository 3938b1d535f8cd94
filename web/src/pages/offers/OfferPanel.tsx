import type { ReactNode } from 'react'
import type { Caller, Offer } from '../../api/interfaces'
import { GoldenSignals } from '../../components/GoldenSignals'
import { CloseIcon, KindIcon } from '../../components/icons'
import { ErrorRatio, Statuses, UntimedBadge } from '../../components/Interface'
import { Link, navigate } from '../../components/navigation'
import { formatCount, formatExact, formatLatency, formatRate } from '../../lib/format'
import { countName, protocolName } from '../../lib/protocol'
import { mapFrom, serviceFrom, type OffersView, type View } from '../../lib/url'
import type { Lens } from './lenses'

/** One statement, name or method: the whole of it, its golden signals, and who asks. */
export function OfferPanel({ view, lens, offer }: { view: OffersView; lens: Lens; offer: Offer }) {
  return (
    <SidePanel view={view} label={`One ${lens.offer}`}>
      <PlaceLine view={view} service={offer.service} protocol={offer.protocol} kind={offer.kind} />
      <p className="offer-title">
        <span className="badge">{offer.operation || 'other'}</span> <UntimedBadge red={offer.red} />
      </p>
      {offer.target && <pre className="statement">{offer.target}</pre>}
      <CallerList view={view} title="Called by" callers={offer.callers} none="Its callers are not on this host." />
      <section>
        <h3>Golden signals</h3>
        <GoldenSignals red={offer.red} reasons={[]} />
      </section>
      <Counted offers={[offer]} />
      {Object.keys(offer.statuses).length > 0 && (
        <section>
          <h3>Statuses</h3>
          <Statuses row={offer} />
        </section>
      )}
      <p className="faint">{offer.seen === 'server' ? `As ${offer.service} sees it; callers elsewhere are included.` : 'As its callers see it: the time on the network is included.'}</p>
    </SidePanel>
  )
}

export function SidePanel({ view, label, children }: { view: OffersView; label: string; children: ReactNode }) {
  return (
    <aside className="side-panel" aria-label={label}>
      <button type="button" className="side-panel-close" aria-label="Close" onClick={() => navigate({ ...view, selected: undefined }, true)}>
        <CloseIcon />
      </button>
      {children}
    </aside>
  )
}

export function PlaceLine({ view, service, protocol, kind }: { view: View; service: string; protocol: string; kind: string }) {
  return (
    <p className="place-line">
      <KindIcon kind={kind} />
      <Link to={mapFrom(view, service)} className="ellipsis" title={`${service} on the map`}>
        {service}
      </Link>
      <span className="badge">{protocolName(protocol)}</span>
    </p>
  )
}

export function CallerList({ view, title, callers, none }: { view: View; title: string; callers: readonly Caller[]; none: string }) {
  return (
    <section>
      <h3>
        {title} <span className="faint">{callers.length > 0 && callers.length}</span>
      </h3>
      {callers.length === 0 && <p className="faint">{none}</p>}
      {callers.length > 0 && (
        <ul className="caller-list">
          <li className="caller-heads" aria-hidden>
            <span />
            <span>Requests</span>
            <span>Errors</span>
            <span>P95</span>
          </li>
          {callers.map(({ name, red }) => (
            <li key={name}>
              <Link to={serviceFrom(view, name)} className="ellipsis">
                {name}
              </Link>
              <span>{formatRate(red.rate)}</span>
              <ErrorRatio red={red} />
              <span className="faint">{red.untimed ? 'not timed' : formatLatency(red.p95)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** What the protocol counts besides requests. */
export function Counted({ offers }: { offers: readonly Offer[] }) {
  const sums = new Map<string, number>()
  for (const { counts } of offers) for (const [name, n] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + n)
  const requests = offers.reduce((sum, { red }) => sum + red.requests, 0)
  if (sums.size === 0) return null
  return (
    <section>
      <h3>Counted</h3>
      <dl className="golden">
        {[...sums].map(([name, n]) => (
          <div key={name} className="contents">
            <dt>{countName(name)}</dt>
            <dd title={formatExact(n)}>
              {formatCount(n)} {offers.length === 1 && requests > 0 && <span className="faint">{formatCount(Math.round((n / requests) * 100) / 100)} each</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
