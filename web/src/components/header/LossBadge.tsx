import { Popover } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState, useSyncExternalStore } from 'react'
import type { Loss } from '../../api/types'
import { formatCount, formatExact } from '../../lib/format'
import { explainLoss } from '../../lib/loss'
import { statusFrom, type View } from '../../lib/url'
import { LossIcon } from '../icons'
import { Link } from '../navigation'

/** The loss in the range on display, from whichever reply the page shows; nothing at all while there is none. */
export function LossBadge({ view }: { view: View }) {
  const loss = useCurrentLoss()
  const [isOpen, setOpen] = useState(false)
  if (!loss || loss.total <= 0) return null
  const rows = explainLoss(loss.causes)
  const missing = rows.reduce((sum, row) => sum + (row.isUndercount ? row.count : 0), 0)
  const isShort = missing > 0
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-end" shadow="md" width={460} offset={6} trapFocus>
      <Popover.Target>
        <button type="button" className="loss-badge" data-short={isShort} aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <LossIcon />
          <span>{isShort ? `${formatCount(missing)} not counted` : 'Less detail'}</span>
        </button>
      </Popover.Target>
      <Popover.Dropdown className="loss-dropdown" aria-label="Loss in this time range">
        <h2>What is missing in this time range</h2>
        <p>{isShort ? 'Figures may be too low by the counts marked “not counted”. Everything else is exact.' : 'No request is missing from the figures; some carry less detail.'}</p>
        <ul>
          {rows.map((row) => (
            <li key={row.cause}>
              <div className="loss-line">
                <strong>{row.title}</strong>
                <span className={row.isUndercount ? 'tag tag-warning' : 'tag'}>{row.isUndercount ? 'not counted' : 'less detail'}</span>
                <span className="loss-count">{formatExact(row.count)}</span>
              </div>
              <p>{row.meaning}</p>
            </li>
          ))}
        </ul>
        <Link to={statusFrom(view)} onClick={() => setOpen(false)}>
          What to do about it
        </Link>
      </Popover.Dropdown>
    </Popover>
  )
}

function useCurrentLoss(): Loss | undefined {
  const cache = useQueryClient().getQueryCache()
  return useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => {
      const shown = cache.getAll().filter((q) => q.isActive() && hasLoss(q.state.data))
      const newest = shown.sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)[0]
      return newest && hasLoss(newest.state.data) ? newest.state.data.loss : undefined
    },
  )
}

function hasLoss(data: unknown): data is { loss: Loss } {
  return typeof data === 'object' && data !== null && 'loss' in data
}
