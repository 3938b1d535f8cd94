import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Layout, LayoutInput } from '../../lib/layout'
import { shapeKey } from '../../lib/graph'
import LayoutWorker from './layout.worker?worker'

/**
 * The layout of a graph, made once per shape and kept: as long as nodes and edges are the same, no figure moves them.
 * While a new shape is being laid out, the layout of the old one stays.
 */
export function useLayout(input: LayoutInput) {
  const key = shapeKey(
    input.nodes.map((node) => node.id),
    input.edges,
  )
  return useQuery({
    queryKey: ['layout', key, input.nodeWidth, input.nodeHeight],
    queryFn: ({ signal }) => layoutInWorker(input, signal),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    enabled: input.nodes.length > 0,
  })
}

/** One worker per layout: shapes change seldom, and an outdated layout is stopped rather than waited for. */
function layoutInWorker(input: LayoutInput, signal: AbortSignal): Promise<Layout> {
  return new Promise((resolve, reject) => {
    const worker = new LayoutWorker()
    const stop = () => worker.terminate()
    signal.addEventListener('abort', stop)
    worker.onmessage = (event: MessageEvent<Layout>) => {
      stop()
      resolve(event.data)
    }
    worker.onerror = (event) => {
      stop()
      reject(new Error(`lay out the map: ${event.message}`))
    }
    worker.postMessage(input)
  })
}
