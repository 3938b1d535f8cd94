import { Button, Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client'
import type { TimeRange } from '../lib/time'
import { Mark } from './icons'

/** Grey rows of the height that the data will have, so that nothing jumps when it comes. */
export function LoadingRows({ rows, height }: { rows: number; height: number }) {
  return (
    <div className="loading-rows" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={height - 10} radius={4} />
      ))}
    </div>
  )
}

export interface MessageProps {
  title: string
  children?: ReactNode
  icon?: ReactNode
}

export function Message({ title, children, icon }: MessageProps) {
  return (
    <div className="message">
      {icon && <div className="message-icon">{icon}</div>}
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export function ErrorMessage({ error, retry }: { error: Error; retry: () => void }) {
  const isUnreachable = error instanceof ApiError && error.isUnreachable
  return (
    <div role="alert">
      <Message title={isUnreachable ? 'Cannot reach Sonde' : 'This could not be shown'}>
        <p>{error.message}</p>
        {isUnreachable && <p className="faint">Is <code>sonde run</code> still running? The page tries again every few seconds.</p>}
        <Button size="xs" variant="default" onClick={retry}>
          Try now
        </Button>
      </Message>
    </div>
  )
}

/** For a relative range it teaches; a fixed range lies in the past, where nothing can be started any more. */
export function NoTraffic({ range }: { range: TimeRange }) {
  if (range.kind === 'absolute') {
    return (
      <Message title="No traffic in this time range" icon={<Mark size={36} />}>
        <p>Choose another range. How far back Sonde keeps its figures is on the status page.</p>
      </Message>
    )
  }
  return (
    <Message title="No traffic seen yet" icon={<Mark size={36} />}>
      <p>
        Sonde watches every process of this host, with nothing to configure. A service appears here within seconds of its first
        request.
      </p>
      <p className="faint">Nothing to watch? Start a small shop:</p>
      <pre className="teach">sonde demo</pre>
      <p className="faint">or send one request to something:</p>
      <pre className="teach">python3 -m http.server 8000 &{'\n'}curl -s http://127.0.0.1:8000/</pre>
    </Message>
  )
}
