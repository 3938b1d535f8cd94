import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { mapFrom, offersFrom, overviewFrom, statusFrom, type View } from '../../lib/url'
import { Mark, MoonIcon, SunIcon } from '../icons'
import { Link } from '../navigation'
import { ConnectionState } from './ConnectionState'
import { LossBadge } from './LossBadge'
import { RefreshPicker } from './RefreshPicker'
import { TimeRangePicker } from './TimeRangePicker'

export function Header({ view }: { view: View }) {
  const pages = [
    { page: 'overview', title: 'Overview', to: overviewFrom(view) },
    { page: 'map', title: 'Map', to: mapFrom(view) },
    { page: 'databases', title: 'Databases', to: offersFrom(view, 'databases') },
    { page: 'queues', title: 'Queues', to: offersFrom(view, 'queues') },
    { page: 'dns', title: 'DNS', to: offersFrom(view, 'dns') },
    { page: 'rpc', title: 'RPC', to: offersFrom(view, 'rpc') },
    { page: 'status', title: 'Status', to: statusFrom(view) },
  ] as const
  return (
    <header className="header">
      <Link to={overviewFrom(view)} className="brand" aria-label="Sonde, to the overview">
        <Mark />
        <span>Sonde</span>
      </Link>
      <nav aria-label="Views">
        {pages.map(({ page, title, to }) => {
          const isCurrent = view.page === page || (page === 'overview' && view.page === 'service')
          return (
            <Link key={page} to={to} className="nav-link" data-current={isCurrent} aria-current={view.page === page ? 'page' : undefined}>
              {title}
            </Link>
          )
        })}
      </nav>
      <div className="header-tools">
        <ConnectionState />
        <LossBadge view={view} />
        {view.page !== 'status' && (
          <div className="time-tools">
            <TimeRangePicker view={view} />
            <RefreshPicker view={view} />
          </div>
        )}
        <SchemeToggle />
      </div>
    </header>
  )
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme()
  const isDark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark'
  const label = isDark ? 'Use light colours' : 'Use dark colours'
  return (
    <ActionIcon variant="subtle" color="gray" size={30} aria-label={label} title={label} onClick={() => setColorScheme(isDark ? 'light' : 'dark')}>
      {isDark ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  )
}
