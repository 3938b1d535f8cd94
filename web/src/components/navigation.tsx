import { useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react'
import { decodeView, encodeView, type View } from '../lib/url'

const CHANGED = 'sonde:navigate'

/** Shows another state of the page. `replace` leaves no step behind for the back button: for typing, not for going somewhere. */
export function navigate(view: View, replace = false): void {
  const address = encodeView(view)
  const before = window.location.pathname
  if (address === before + window.location.search) return
  if (replace) window.history.replaceState(null, '', address)
  else window.history.pushState(null, '', address)
  if (window.location.pathname !== before) window.scrollTo(0, 0)
  window.dispatchEvent(new Event(CHANGED))
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed)
  window.addEventListener(CHANGED, changed)
  return () => {
    window.removeEventListener('popstate', changed)
    window.removeEventListener(CHANGED, changed)
  }
}

function address(): string {
  return window.location.pathname + window.location.search
}

export function useView(): { view: View } {
  const current = useSyncExternalStore(subscribe, address)
  const view = useMemo(() => {
    const cut = current.indexOf('?')
    return cut < 0 ? decodeView(current, '') : decodeView(current.slice(0, cut), current.slice(cut))
  }, [current])
  return { view }
}

export interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  to: View
}

/** A real link: it opens in a new tab, can be copied, and otherwise stays in the page. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return <a {...rest} href={encodeView(to)} onClick={go} />
}
