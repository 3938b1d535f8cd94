import type { ReactNode } from 'react'

export interface PanelProps {
  title: ReactNode
  /** Beside the title, on the right. */
  actions?: ReactNode
  note?: ReactNode
  children: ReactNode
  isFlush?: boolean
}

export function Panel({ title, actions, note, children, isFlush = false }: PanelProps) {
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>{title}</h2>
        {note && <span className="panel-note">{note}</span>}
        {actions && <div className="panel-actions">{actions}</div>}
      </header>
      <div className={isFlush ? 'panel-body panel-flush' : 'panel-body'}>{children}</div>
    </section>
  )
}

export function LanguageBadge({ name }: { name: string }) {
  return name ? <span className="badge">{name}</span> : null
}
