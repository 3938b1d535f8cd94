// The browser of the tests: Debian's chromium, headless, silent on the network. Its driver comes from web/node_modules.
import { createRequire } from 'node:module'

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core')

/** The page under test: a running Sonde, or the mock (`npm run preview:mock` in web/). */
export const baseURL = (process.env.SONDE_URL ?? 'http://127.0.0.1:8686').replace(/\/$/, '')

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  })
}

/** A page that remembers what went wrong: console errors, exceptions, failed requests. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ baseURL, viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`))
  return { page, context, complaints }
}

export async function getJSON(path) {
  const response = await fetch(baseURL + path)
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`)
  return response.json()
}
