// Takes a picture of every view: SONDE_URL=… OUT=docs/img node test/browser/screenshots.mjs [name part]
// SIZE=1280x800 and SCHEME=dark choose other than 1440x900 and light; SERVICE is the service to open.
import { mkdir } from 'node:fs/promises'
import { launch, openPage } from './browser.mjs'

const out = process.env.OUT ?? 'test/out/screenshots'
const [width, height] = (process.env.SIZE ?? '1440x900').split('x').map(Number)
const scheme = process.env.SCHEME ?? 'light'
const service = process.env.SERVICE ?? 'gateway'
const views = {
  overview: ['/', '.table tbody tr'],
  map: ['/map', '.react-flow__node'],
  'map-focus': [`/map?focus=${service}&sel=${service}`, '.map-panel'],
  service: [`/service/${service}`, '.uplot'],
  databases: ['/databases', '.offerer'],
  'databases-open': ['/databases', '.offerer', 'table .stretched'],
  queues: ['/queues', '.offerer'],
  'queues-open': ['/queues', '.offerer', 'table .stretched'],
  dns: ['/dns', '.offerer'],
  rpc: ['/rpc', '.offerer'],
  status: ['/status', '.table tbody tr'],
}

await mkdir(out, { recursive: true })
const browser = await launch()
const { page, complaints } = await openPage(browser, { viewport: { width, height }, colorScheme: scheme })
for (const [name, [path, ready, click]] of Object.entries(views)) {
  if (process.argv[2] && !name.includes(process.argv[2])) continue
  await page.goto(path)
  try {
    await page.waitForSelector(ready, { timeout: 15_000 })
  } catch {
    console.error(`${name}: left out, there is no ${ready}`) 
    continue
  }
  if (click) await page.click(click)
  await page.waitForTimeout(900) // the map's camera and the charts settle
  await page.screenshot({ path: `${out}/${name}-${scheme}.png`, fullPage: process.env.FULL === '1' })
}
await browser.close()
for (const complaint of complaints) console.error(complaint)
