import { useMemo } from 'react'
import { useServices, type ServicesReply } from '../../api/services'
import { DataTable } from '../../components/DataTable'
import { navigate } from '../../components/navigation'
import { SearchField } from '../../components/SearchField'
import { SeverityMark } from '../../components/Severity'
import { ErrorMessage, LoadingRows, NoTraffic } from '../../components/States'
import { plural } from '../../lib/format'
import { matches, sortRows } from '../../lib/rank'
import { serviceFrom, type OverviewView } from '../../lib/url'
import { columns, sortValue } from './columns'

const ROW_HEIGHT = 44

export function OverviewPage({ view }: { view: OverviewView }) {
  const query = useServices()
  if (query.data) return <Overview view={view} reply={query.data} isStale={query.isPlaceholderData} />
  if (query.error) return <ErrorMessage error={query.error} retry={() => void query.refetch()} />
  return (
    <>
      <div className="page-head" />
      <div className="panel">
        <LoadingRows rows={12} height={ROW_HEIGHT} />
      </div>
    </>
  )
}

function Overview({ view, reply, isStale }: { view: OverviewView; reply: ServicesReply; isStale: boolean }) {
  const rows = useMemo(() => {
    const found = reply.services.filter((s) =>
      matches(view.search, s.name, s.language, s.external ? 'external' : '', ...s.reasons.map((r) => r.text)),
    )
    return sortRows(found, view.sort, sortValue)
  }, [reply.services, view.search, view.sort])
  const shownColumns = useMemo(() => columns(view), [view])
  if (reply.services.length === 0) return <NoTraffic range={view.range} />
  return (
    <>
      <div className="page-head">
        <Headline abnormal={reply.abnormal} total={reply.total} />
        <div className="push">
          <SearchField
            value={view.search}
            placeholder="Filter services"
            onChange={(search) => navigate({ ...view, search }, true)}
            onEnter={() => rows[0] && navigate(serviceFrom(view, rows[0].name))}
          />
        </div>
      </div>
      <div className={isStale ? 'panel stale' : 'panel'}>
        <DataTable
          label="Services, worst first"
          columns={shownColumns}
          rows={rows}
          rowKey={(service) => service.name}
          rowClass={(service) => `row-link row-${service.severity}`}
          rowHeight={ROW_HEIGHT}
          sort={view.sort}
          onSort={(sort) => navigate({ ...view, sort }, true)}
        />
        {rows.length === 0 && <p className="table-empty">No service matches “{view.search}”.</p>}
      </div>
    </>
  )
}

function Headline({ abnormal, total }: { abnormal: number; total: number }) {
  return (
    <h1 className="headline">
      <SeverityMark severity={abnormal > 0 ? 'critical' : 'ok'} size={abnormal > 0 ? 18 : 22} />
      {abnormal > 0 ? (
        <span>
          <span className="text-critical">{abnormal}</span> of {plural(total, 'service')} abnormal
        </span>
      ) : (
        <span>{total === 1 ? 'The one service is normal' : `All ${plural(total, 'service')} normal`}</span>
      )}
    </h1>
  )
}
