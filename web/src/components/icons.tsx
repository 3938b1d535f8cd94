import type { ReactNode, SVGProps } from 'react'

// Line icons on a 16 pixel grid, drawn in the current colour. They are decoration: text or a label stands beside each.

type IconProps = Omit<SVGProps<SVGSVGElement>, 'children'>

function Icon({ children, ...props }: IconProps & { children: ReactNode }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden {...props}>
      {children}
    </svg>
  )
}

export const SearchIcon = (p: IconProps) => <Icon {...p}><circle cx="7" cy="7" r="4.25" /><path d="m10.3 10.3 3.2 3.2" /></Icon>
export const SunIcon = (p: IconProps) => <Icon {...p}><circle cx="8" cy="8" r="2.75" /><path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9" /></Icon>
export const MoonIcon = (p: IconProps) => <Icon {...p}><path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z" /></Icon>
export const ClockIcon = (p: IconProps) => <Icon {...p}><circle cx="8" cy="8" r="5.75" /><path d="M8 4.8V8l2.2 1.6" /></Icon>
export const ChevronIcon = (p: IconProps) => <Icon {...p}><path d="m4.5 6.5 3.5 3.5 3.5-3.5" /></Icon>
export const CloseIcon = (p: IconProps) => <Icon {...p}><path d="m4 4 8 8M12 4l-8 8" /></Icon>
export const FocusIcon = (p: IconProps) => <Icon {...p}><circle cx="8" cy="8" r="2" /><path d="M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3" /></Icon>
export const CloudIcon = (p: IconProps) => <Icon {...p}><path d="M4.6 12.5h6.6a2.8 2.8 0 0 0 .5-5.6 3.8 3.8 0 0 0-7.3-.5 3.1 3.1 0 0 0 .2 6.1Z" /></Icon>
export const EntryIcon = (p: IconProps) => <Icon {...p}><path d="M6.5 2.5h6v11h-6M2 8h7M6.5 5.5 9 8l-2.5 2.5" /></Icon>
export const OfflineIcon = (p: IconProps) => <Icon {...p}><path d="M2 2l12 12M3 7.2a7.6 7.6 0 0 1 2.3-1.5M13 7.2a7.5 7.5 0 0 0-4.6-2.1M5.5 9.8a3.9 3.9 0 0 1 2.2-1" /><circle cx="8" cy="12" r=".6" fill="currentColor" /></Icon>
export const MapIcon = (p: IconProps) => <Icon {...p}><rect x="1.75" y="6" width="4" height="4" rx="1" /><rect x="10.25" y="2" width="4" height="4" rx="1" /><rect x="10.25" y="10" width="4" height="4" rx="1" /><path d="M5.75 8h2V4h2.5M7.75 8v4h2.5" /></Icon>
export const LossIcon = (p: IconProps) => <Icon {...p}><path d="M8 1.8 14 5v6l-6 3.2L2 11V5Z" strokeDasharray="2.6 1.9" /><path d="M8 5.4v3.2" /><circle cx="8" cy="10.8" r=".5" fill="currentColor" /></Icon>

export const DatabaseIcon = (p: IconProps) => <Icon {...p}><ellipse cx="8" cy="3.75" rx="5" ry="2" /><path d="M3 3.75v8.5c0 1.1 2.24 2 5 2s5-.9 5-2v-8.5M3 8c0 1.1 2.24 2 5 2s5-.9 5-2" /></Icon>
export const CacheIcon = (p: IconProps) => <Icon {...p}><path d="M8.8 1.75 3.5 9h4l-.6 5.25L12.5 7H8.2Z" /></Icon>
export const QueueIcon = (p: IconProps) => <Icon {...p}><rect x="1.75" y="4.5" width="3.5" height="7" rx="1" /><rect x="6.9" y="4.5" width="3.5" height="7" rx="1" /><path d="M12.4 8h2M13 6.4 14.6 8 13 9.6" /></Icon>
export const BookIcon = (p: IconProps) => <Icon {...p}><path d="M3 2.75h8.5a1 1 0 0 1 1 1v9.5H4.25A1.25 1.25 0 0 1 3 12Zm0 9.1a1.25 1.25 0 0 1 1.25-1.1h8.25" /><path d="M5.75 5.5h4" /></Icon>
export const CallIcon = (p: IconProps) => <Icon {...p}><path d="M2.5 5.5h9M9 3l2.5 2.5L9 8M13.5 10.5h-9M7 8l-2.5 2.5L7 13" /></Icon>

/** Of a kind of protocol; none for HTTP, which is what nobody needs to be told. */
export function KindIcon({ kind, ...props }: IconProps & { kind: string | undefined }) {
  switch (kind) {
    case 'db':
      return <DatabaseIcon {...props} />
    case 'cache':
      return <CacheIcon {...props} />
    case 'messaging':
      return <QueueIcon {...props} />
    case 'dns':
      return <BookIcon {...props} />
    case 'rpc':
      return <CallIcon {...props} />
    default:
      return null
  }
}

/** The mark: a sounding weight on its line, and the echo it listens to. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <g fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round">
        <path d="M16 5v9" />
        <path d="M10.5 19a7 7 0 0 0 11 0" opacity=".9" />
        <path d="M6.5 22.5a12 12 0 0 0 19 0" opacity=".5" />
      </g>
      <circle cx="16" cy="16.5" r="3" fill="#4cc9a7" />
    </svg>
  )
}
