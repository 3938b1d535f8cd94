import { useQueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { ApiError } from '../../api/client'
import { clock } from '../../lib/time'
import { OfflineIcon } from '../icons'

/** Shown while a query of this page cannot reach Sonde; old figures stay on display, with their time. */
export function ConnectionState() {
  const cache = useQueryClient().getQueryCache()
  const lostSince = useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => {
      const failed = cache.getAll().filter((q) => q.isActive() && q.state.error instanceof ApiError && q.state.error.isUnreachable)
      if (failed.length === 0) return undefined
      return Math.max(...failed.map((q) => q.state.dataUpdatedAt))
    },
  )
  if (lostSince === undefined) return null
  return (
    <div className="connection-lost" role="alert">
      <OfflineIcon />
      <span>
        Cannot reach Sonde, retrying{lostSince > 0 && `; showing data of ${clock(lostSince / 1000)}`}
      </span>
    </div>
  )
}
