import { lazy, Suspense, useEffect } from 'react'
import { ErrorBoundary } from './components/ErrorBoundary'
import { Header } from './components/header/Header'
import { useView } from './components/navigation'
import { LoadingRows } from './components/States'
import type { View } from './lib/url'
import { OverviewPage } from './pages/overview/OverviewPage'

// The overview is the first look; the charting and graph libraries come with the pages that need them.
const MapPage = lazy(() => import('./pages/map/MapPage'))
const ServicePage = lazy(() => import('./pages/service/ServicePage'))
const StatusPage = lazy(() => import('./pages/status/StatusPage'))

export function App() {
  const { view } = useView()
  useEffect(() => {
    document.title = `${titleOf(view)} · Sonde`
  }, [view])
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <Header view={view} />
      <main id="main" className={`page page-${view.page}`}>
        <ErrorBoundary key={view.page}>
          <Suspense fallback={<LoadingRows rows={12} height={44} />}>
            <Page view={view} />
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  )
}

function titleOf(view: View): string {
  switch (view.page) {
    case 'overview':
      return 'Overview'
    case 'map':
      return view.focus === undefined ? 'Map' : `${view.focus} on the map`
    case 'service':
      return view.service
    case 'status':
      return 'Status'
  }
}

function Page({ view }: { view: View }) {
  switch (view.page) {
    case 'overview':
      return <OverviewPage view={view} />
    case 'map':
      return <MapPage view={view} />
    case 'service':
      return <ServicePage key={view.service} view={view} />
    case 'status':
      return <StatusPage />
  }
}
