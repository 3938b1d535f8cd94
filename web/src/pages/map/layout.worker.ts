import { layoutGraph, type LayoutInput } from '../../lib/layout'

/** One layout per worker. An exception reaches the page as the worker's error event. */
self.onmessage = (event: MessageEvent<LayoutInput>) => {
  self.postMessage(layoutGraph(event.data))
}
