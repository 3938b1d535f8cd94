import { useIsFetching } from '@tanstack/react-query'
import { REFRESHES } from '../../lib/time'
import type { View } from '../../lib/url'
import { navigate } from '../navigation'

/** A fixed range does not change, so there is nothing to refresh: the control says so. */
export function RefreshPicker({ view }: { view: View }) {
  const isFetching = useIsFetching() > 0
  const isFixed = view.range.kind === 'absolute'
  return (
    <label className="refresh" data-busy={isFetching} title={isFixed ? 'A fixed time range does not refresh' : 'How often the figures are fetched again'}>
      <span className="refresh-dot" aria-hidden data-on={!isFixed && view.refresh > 0} />
      <span className="sr-only">Refresh</span>
      <select value={isFixed ? 0 : view.refresh} disabled={isFixed} onChange={(event) => navigate({ ...view, refresh: Number(event.target.value) }, true)}>
        {REFRESHES.map((seconds) => (
          <option key={seconds} value={seconds}>
            {seconds === 0 ? 'Paused' : `${seconds} s`}
          </option>
        ))}
      </select>
    </label>
  )
}
