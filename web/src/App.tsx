import { lazy, Suspense, useEffect } from 'react'
import { ErrorBoundary } from './components/ErrorBoundary'
import { Header } from './components/header/Header'
import { useView } from './components/navigation'
import { LoadingRows } from './components/States'
import type { View } from './lib/url'
import { OverviewPage } from './pages/overview/OverviewPage'

// The overview is the first look; the charting and graph libraries come with the pages that need them.
const loadMap = () => import('./pages/map/MapPage')
const loadService = () => import('./pages/service/ServicePage')
const loadStatus = () => import('./pages/status/StatusPage')
const loadOffers = () => import('./pages/offers/OffersPage')
const MapPage = lazy(loadMap)
const OffersPage = lazy(loadOffers)
const ServicePage = lazy(loadService)
const StatusPage = lazy(loadStatus)

/** When the first view has long been drawn, the others are fetched, so that the first click on them waits for nothing. */
const PREFETCH_MS = 1_500

export function App() {
  const { view } = useView()
  useEffect(() => {
    document.title = `${titleOf(view)} · Sonde`
  }, [view])
  useEffect(() => {
    // A chunk that fails here fails again, and visibly, when its page is opened.
    const timer = setTimeout(() => void Promise.allSettled([loadService(), loadMap(), loadOffers(), loadStatus()]), PREFETCH_MS)
    return () => clearTimeout(timer)
  }, [])
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
    case 'databases':
      return 'Databases'
    case 'queues':
      return 'Queues'
    case 'dns':
      return 'DNS'
    case 'rpc':
      return 'RPC'
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
    default:
      return <OffersPage key={view.page} view={view} />
  }
}
