import { SegmentedControl } from '@mantine/core'
import { CloseIcon, FocusIcon } from '../../components/icons'
import { navigate } from '../../components/navigation'
import { SearchField } from '../../components/SearchField'
import { plural } from '../../lib/format'
import type { RawFlows } from '../../lib/flows'
import type { KindName } from '../../lib/protocol'
import { DEFAULT_HOPS, MAX_HOPS, type MapView } from '../../lib/url'
import type { MapPart } from './flow'

export interface MapToolbarProps {
  view: MapView
  part: MapPart
  total: number
  /** The ids that the search found; undefined while nothing is searched. */
  found: ReadonlySet<string> | undefined
  /** That occur in the range. */
  kinds: readonly KindName[]
  /** Those of them that are left out. */
  hidden: readonly string[]
  raw: RawFlows
  hasFlows: boolean
}

export function MapToolbar({ view, part, total, found, kinds, hidden, raw, hasFlows }: MapToolbarProps) {
  const abnormal = part.nodes.filter((n) => n.severity !== 'ok').length
  const [first] = found ?? []
  const isFocusMissing = view.focus !== undefined && !part.nodes.some((n) => n.id === view.focus)
  return (
    <div className="map-toolbar">
      <SearchField
        value={view.search}
        placeholder="Find a service"
        onChange={(search) => navigate({ ...view, search }, true)}
        onEnter={() => first !== undefined && navigate({ ...view, selected: first })}
      />
      {view.focus !== undefined && (
        <div className="focus-chip">
          <FocusIcon />
          <span>{isFocusMissing ? `${view.focus} has no traffic in this range` : view.focus}</span>
          <SegmentedControl
            size="xs"
            aria-label="Calls away"
            value={String(view.hops)}
            data={Array.from({ length: MAX_HOPS }, (_, i) => String(i + 1))}
            onChange={(hops) => navigate({ ...view, hops: Number(hops) }, true)}
          />
          <span className="faint">{view.hops === 1 ? 'hop' : 'hops'}</span>
          <button type="button" aria-label="Show the whole map" title="Show the whole map" onClick={() => navigate({ ...view, focus: undefined, hops: DEFAULT_HOPS })}>
            <CloseIcon />
          </button>
        </div>
      )}
      {kinds.length > 1 && <Kinds view={view} kinds={kinds} hidden={hidden} leftOut={part.leftOut} />}
      {raw.flows.length > 0 && <FlowToggle view={view} raw={raw} isOn={hasFlows} />}
      <span className="map-count" aria-live="polite">
        {found !== undefined ? `${found.size} found · ` : ''}
        {part.nodes.length < total ? `${part.nodes.length} of ` : ''}
        {plural(total, 'node')}, {plural(part.edges.length, 'call')}
        {part.flows.length > 0 && `, ${plural(part.flows.length, 'raw flow')}`}
        {hasFlows && raw.left > 0 && ` (${raw.left} smaller ones left out)`}
        {abnormal > 0 && <span className="text-critical"> · {abnormal} abnormal</span>}
      </span>
    </div>
  )
}

/** What every service asks (DNS, a cache) hides who calls whom: each kind of call can be left out, and DNS is at first. */
function Kinds({ view, kinds, hidden, leftOut }: Pick<MapToolbarProps, 'view' | 'kinds' | 'hidden'> & Pick<MapPart, 'leftOut'>) {
  return (
    <div className="map-kinds" role="group" aria-label="Kinds of calls">
      {kinds.map(({ kind, name }) => {
        const isShown = !hidden.includes(kind)
        const next = kinds.map((k) => k.kind).filter((k) => (k === kind ? isShown : hidden.includes(k)))
        const abnormal = leftOut.filter((e) => e.kind === kind && e.severity !== 'ok').length
        const why = view.hidden === undefined ? '. Left out at first, but for what is slow or fails, other than because a name does not exist' : ''
        return (
          <button
            key={kind}
            type="button"
            aria-pressed={isShown}
            title={isShown ? `Leave out ${name}` : `Show ${name}${why}`}
            onClick={() => navigate({ ...view, hidden: next, selected: undefined }, true)}
          >
            {name}
            {abnormal > 0 && (
              <span className="text-critical" title={`${plural(abnormal, 'call')} left out that would be marked`}>
                {' '}
                {abnormal}
              </span>
            )}
          </button>
        )
      })}
    </div>
  )
}

/** Connections in protocols that nobody reads may be many: they can be left out, and are where they would drown the calls. */
function FlowToggle({ view, raw, isOn }: { view: MapView; raw: RawFlows; isOn: boolean }) {
  const count = raw.flows.length + raw.left
  return (
    <div className="map-kinds">
      <button
        type="button"
        aria-pressed={isOn}
        title={`${plural(count, 'pair')} of services with connections of which no request is known. ${isOn ? 'Leave them out' : 'Show them'}`}
        onClick={() => navigate({ ...view, flows: !isOn, selected: undefined }, true)}
      >
        Raw flows <span className="faint">{count}</span>
      </button>
    </div>
  )
}
