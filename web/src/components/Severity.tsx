import type { Reason, Severity } from '../api/types'

const WORDS: Record<Severity, string> = { ok: 'normal', warning: 'warning', critical: 'critical' }

export interface SeverityMarkProps {
  severity: Severity
  size?: number
}

/** Shape and colour say the same thing: disc, triangle, octagon. */
export function SeverityMark({ severity, size = 14 }: SeverityMarkProps) {
  return (
    <svg className={`severity severity-${severity}`} width={size} height={size} viewBox="0 0 14 14" role="img" aria-label={WORDS[severity]}>
      {severity === 'ok' && <circle cx="7" cy="7" r="3" />}
      {severity === 'warning' && <path d="M7 1.2 13.4 12.4H.6Z" strokeLinejoin="round" />}
      {severity === 'critical' && <path d="M4.2.6h5.6l3.6 3.6v5.6l-3.6 3.6H4.2L.6 9.8V4.2Z" />}
      {severity !== 'ok' && (
        <g className="severity-sign">
          <path d={severity === 'warning' ? 'M7 5v3.4' : 'M7 3.6v4.2'} />
          <circle cx="7" cy={severity === 'warning' ? 10.4 : 10.2} r=".55" />
        </g>
      )}
    </svg>
  )
}

/** One line that is cut where there is no room; the whole text is in the tool tip. */
export function ReasonsLine({ reasons }: { reasons: readonly Reason[] }) {
  const text = reasons.map((reason) => reason.text).join(' · ')
  return (
    <span className="reasons-line" title={text}>
      {reasons.map((reason, i) => (
        <span key={`${reason.signal}${reason.text}`}>
          {i > 0 && <span className="faint"> · </span>}
          <span className={`text-${reason.severity}`}>{reason.text}</span>
        </span>
      ))}
    </span>
  )
}

export function ReasonsList({ reasons }: { reasons: readonly Reason[] }) {
  if (reasons.length === 0) return null
  return (
    <ul className="reasons-list">
      {reasons.map((reason) => (
        <li key={`${reason.signal}${reason.text}`} className={`reason reason-${reason.severity}`}>
          <SeverityMark severity={reason.severity} />
          <span>{reason.text}</span>
        </li>
      ))}
    </ul>
  )
}
