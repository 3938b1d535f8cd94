import { layoutGraph, type LayoutInput } from '../../lib/layout'
import { packIfTooLarge } from '../../lib/pack'

/** One layout per worker. An exception reaches the page as the worker's error event. */
self.onmessage = (event: MessageEvent<LayoutInput>) => {
  self.postMessage(packIfTooLarge(layoutGraph(event.data), event.data))
}
