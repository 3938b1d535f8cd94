// What a user does with the page, against a running Sonde or the mock: SONDE_URL=http://… node --test test/browser/*.test.mjs
// The oracle for what the page shows is the API; the oracle for the API are the truth tests.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { getJSON, launch, openPage } from './browser.mjs'

let browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

const READY = { timeout: 15_000 }
// A fixed range: the API gives the page and the test the same answer.
const now = Math.floor(Date.now() / 1000)
const range = `from=${now - 300}&to=${now}`
const asked = `start=${now - 300}&end=${now}`

async function withPage(path, check, options) {
  const { page, context, complaints } = await openPage(browser, options)
  await page.goto(path)
  await check(page)
  await context.close()
  assert.deepEqual(complaints, [])
}

const names = (page) => page.$$eval('table tbody .stretched', (links) => links.map((link) => link.textContent))

test('the overview lists exactly the services of the API, in its order', async () => {
  const { services, abnormal, total } = await getJSON(`/api/services?${asked}`)
  assert.ok(services.length > 0 && services.length < 100, 'this test wants a host with 1 to 99 services')
  await withPage(`/?${range}`, async (page) => {
    await page.waitForSelector('table tbody tr', READY)
    assert.deepEqual(await names(page), services.map((s) => s.name))
    const headline = await page.textContent('h1')
    assert.match(headline, abnormal > 0 ? new RegExp(`${abnormal} of ${total}`) : /normal/)
  })
})

test('"/" jumps to the filter, the filter is in the address, Escape clears it', async () => {
  const { services } = await getJSON(`/api/services?${asked}`)
  const wanted = services.at(-1).name
  await withPage(`/?${range}`, async (page) => {
    await page.waitForSelector('table tbody tr', READY)
    await page.keyboard.press('/')
    await page.keyboard.type(wanted)
    await page.waitForFunction((name) => [...document.querySelectorAll('table tbody .stretched')].every((l) => l.textContent.includes(name)), wanted)
    assert.ok((await names(page)).includes(wanted))
    assert.equal(new URL(page.url()).searchParams.get('q'), wanted)
    await page.keyboard.press('Escape')
    await page.waitForFunction((n) => document.querySelectorAll('table tbody .stretched').length === n, services.length)
  })
})

test('a click on a heading sorts, and the order is in the address', async () => {
  const { services } = await getJSON(`/api/services?${asked}`)
  await withPage(`/?${range}`, async (page) => {
    await page.waitForSelector('table tbody tr', READY)
    await page.click('th button:has-text("Requests")')
    await page.waitForSelector('th[aria-sort=descending]')
    assert.equal(new URL(page.url()).searchParams.get('sort'), 'rate.desc')
    const rate = (s) => (s.server ?? s.client)?.rate ?? -1
    const want = [...services].sort((a, b) => rate(b) - rate(a)).map((s) => s.name)
    assert.deepEqual(await names(page), want)
  })
})

/** Several protocols between two services are one line. */
const pairs = (edges) => [...new Set(edges.map((e) => `${e.client} > ${e.server}`))].sort()

/** Several resolvers outside of this host, which answer to nothing else and ask nobody, are one node. */
function asDrawn(reply) {
  const clients = new Set(reply.edges.map((e) => e.client))
  const folded = new Set(reply.nodes.filter((n) => n.external && n.kinds.join() === 'dns' && !clients.has(n.id)).map((n) => n.id))
  if (folded.size < 2) return reply
  const rename = (e) => (folded.has(e.server) ? { ...e, server: 'DNS resolvers' } : e)
  return {
    ...reply, edges: reply.edges.map(rename), flows: reply.flows.map(rename),
    nodes: [...reply.nodes.filter((n) => !folded.has(n.id)), { id: 'DNS resolvers', kinds: ['dns'] }],
  }
}

test('the map shows exactly the nodes and edges of the API', async () => {
  const { nodes, edges } = asDrawn(await getJSON(`/api/topology?${asked}`))
  await withPage(`/map?${range}&flows=0&hide=none`, async (page) => {
    await page.waitForFunction((n) => document.querySelectorAll('.node[data-node]').length === n, nodes.length, READY)
    assert.equal((await page.$$('.call[data-flow]')).length, 0)
    const shown = await page.$$eval('.node[data-node]', (all) => all.map((n) => n.dataset.node))
    assert.deepEqual(shown.sort(), nodes.map((n) => n.id).sort())
    const lines = await page.$$eval('.call[data-edge]', (all) => all.map((e) => `${e.dataset.client} > ${e.dataset.server}`))
    assert.deepEqual(lines.sort(), pairs(edges))
  })
})

test('look-ups are left out of the whole map, and drawn when asked for', async (t) => {
  const { edges } = asDrawn(await getJSON(`/api/topology?${asked}`))
  const [quiet] = edges.filter((e) => e.kind === 'dns' && e.severity === 'ok' && edges.every((o) => o === e || o.client !== e.client || o.server !== e.server))
  if (!quiet || edges.every((e) => e.kind === 'dns')) return t.skip('no service here looks up names beside other calls')
  const line = `.call[data-client=${JSON.stringify(quiet.client)}][data-server=${JSON.stringify(quiet.server)}]`
  await withPage(`/map?${range}&flows=0`, async (page) => {
    await page.waitForSelector('.call[data-edge]', { state: 'attached', ...READY })
    assert.equal(await page.locator(line).count(), 0)
    await page.click('.map-kinds button:has-text("DNS")')
    await page.waitForSelector(line, { state: 'attached', ...READY })
    assert.equal(new URL(page.url()).searchParams.get('hide'), 'none')
  })
})

/** Pairs of services with connections that nobody reads and no call. Strangers who connect to the same service are folded into one. */
function rawPairs({ nodes, edges, flows }) {
  const [called, known, servers] = [new Set(pairs(edges)), new Set(nodes.map((n) => n.id)), new Set()]
  const raw = flows.filter((f) => ['tcp', 'tls'].includes(f.protocol) && !called.has(`${f.client} > ${f.server}`))
  for (const f of raw) servers.add(f.server)
  const strangers = raw.filter((f) => f.clientExternal && !known.has(f.client) && !servers.has(f.client))
  const of = (server) => new Set(strangers.filter((f) => f.server === server).map((f) => f.client)).size
  return pairs(raw.map((f) => (strangers.includes(f) && of(f.server) > 1 ? { ...f, client: `${of(f.server)} clients of ${f.server}` } : f)))
}

test('connections without known requests are lines of their own, and can be left out', async (t) => {
  const reply = asDrawn(await getJSON(`/api/topology?${asked}`))
  const want = rawPairs(reply)
  if (want.length === 0 || want.length > 100) return t.skip(`${want.length} pairs of services have connections and no call: this test wants 1 to 100`)
  await withPage(`/map?${range}&flows=1&hide=none`, async (page) => {
    await page.waitForFunction((n) => document.querySelectorAll('.call[data-flow]').length === n, want.length, READY)
    const lines = await page.$$eval('.call[data-flow]', (all) => all.map((e) => `${e.dataset.client} > ${e.dataset.server}`))
    assert.deepEqual(lines.sort(), want)
    const calls = await page.$$eval('.call[data-edge]', (all) => all.map((e) => `${e.dataset.client} > ${e.dataset.server}`))
    assert.deepEqual(calls.sort(), pairs(reply.edges), 'the calls are all there still')
    const ends = new Set([...reply.nodes.map((n) => n.id), ...want.flatMap((pair) => pair.split(' > '))])
    assert.deepEqual((await page.$$eval('.node[data-node]', (all) => all.map((n) => n.dataset.node))).sort(), [...ends].sort())
    await page.click('button:has-text("Raw flows")')
    await page.waitForFunction(() => document.querySelectorAll('.call[data-flow]').length === 0)
    assert.equal(new URL(page.url()).searchParams.get('flows'), '0')
  })
})

test('a flow opens with its bytes and connections, and TLS with the name of its server', async (t) => {
  const reply = await getJSON(`/api/topology?${asked}`)
  const raw = new Set(rawPairs(reply))
  const mine = (f) => reply.flows.filter((o) => o.client === f.client && o.server === f.server)
  const flow = reply.flows.find((f) => raw.has(`${f.client} > ${f.server}`) && mine(f).length === 1 && f.protocol === 'tls' && f.serverNames.length > 0)
  if (!flow) return t.skip('no encrypted connection whose handshake alone was read')
  await withPage(`/map?${range}&flows=1&sel=${encodeURIComponent(`${flow.client}→${flow.server}`)}`, async (page) => {
    const panel = page.locator('.map-panel')
    await panel.locator('.edge-connections').waitFor(READY)
    const text = await panel.innerText()
    for (const name of flow.serverNames) assert.ok(text.includes(name), `${name} in ${text}`)
    assert.match(text, /TLS/)
    assert.match(text, new RegExp(`Opened\\s+${flow.opened}\\b`))
    assert.match(text, /Round trip\s+[\d.]+/)
    assert.equal(await panel.locator('dt:text-is("Requests")').count(), 0, 'no requests are claimed')
    assert.match(await page.locator('.call-label-raw[data-selected=true]').innerText(), /^TLS /)
  })
})

test('topics show how far their consumers are behind', async (t) => {
  const { levels } = await getJSON(`/api/interfaces?${asked}&kind=messaging`)
  const [lagging] = levels.filter((l) => l.name === 'kafka_consumer_lag')
  if (!lagging) return t.skip('no consumer of Kafka')
  const { target, client, value } = lagging
  const groups = levels.filter((l) => l.target === target && l.service === lagging.service && l.group !== undefined)
  await withPage(`/queues?${range}`, async (page) => {
    await page.waitForSelector('table tbody tr', READY)
    assert.ok((await page.$$eval('th', (all) => all.map((th) => th.textContent))).some((name) => name.includes('Lag')))
    await page.click(`table .stretched[title="${target}"]`)
    const lag = page.locator('section[aria-label="Consumer lag"]')
    await lag.waitFor(READY)
    assert.ok((await lag.innerText()).includes(client))
    assert.equal(await lag.locator('dd').first().getAttribute('title'), value.toLocaleString('en-US').replaceAll(',', '\u202f'))
    for (const { group } of groups) assert.ok((await page.locator('section[aria-label="Consumer groups"]').innerText()).includes(group))
  })
})

test('a refresh moves nothing on the map', async () => {
  await withPage('/map?range=5m&refresh=5', async (page) => {
    await page.waitForSelector('.node[data-node]', READY)
    await page.waitForTimeout(500)
    const places = () => page.$$eval('.react-flow__node', (all) => all.map((n) => [n.dataset.id, n.getBoundingClientRect().x, n.getBoundingClientRect().y].join()).sort())
    const shape = async () => (await places()).map((p) => p.split(',')[0]).join()
    // A service that came or went may move others; the same graph may not.
    for (let attempt = 0; attempt < 4; attempt++) {
      const [before, shapeBefore] = [await places(), await shape()]
      await page.waitForResponse(/api\/topology/, READY)
      await page.waitForTimeout(500)
      if ((await shape()) !== shapeBefore) continue
      assert.deepEqual(await places(), before)
      return
    }
    assert.fail('the graph changed with every refresh')
  })
})

test('from the map to a service to one of its instances, by clicks', async () => {
  const { nodes } = await getJSON(`/api/topology?${asked}`)
  const wanted = (nodes.find((n) => n.severity !== 'ok' && n.server && !n.external) ?? nodes.find((n) => n.server && !n.external)).id
  const { instances } = await getJSON(`/api/services/${encodeURIComponent(wanted)}?${asked}`)
  await withPage(`/map?${range}`, async (page) => {
    await page.waitForSelector('.node[data-node]', READY)
    await page.click(`.node[data-node=${JSON.stringify(wanted)}]`)
    await page.click('.map-panel >> text=Open service')
    await page.waitForSelector('.instance', READY)
    assert.equal(new URL(page.url()).pathname, `/service/${encodeURIComponent(wanted)}`)
    assert.equal(await page.textContent('h1'), wanted)
    const shown = await page.$$eval('.instance .mono', (all) => all.map((i) => i.textContent))
    assert.deepEqual(shown.sort(), instances.map((i) => i.id).sort())
    await page.click('.instance-head')
    await page.waitForSelector('.instance-details')
    assert.ok(new URL(page.url()).searchParams.get('instance'))
    await page.goBack()
    await page.waitForSelector('.map-panel', READY)
  })
})

test('a click on a call opens its golden signals', async () => {
  const { edges } = await getJSON(`/api/topology?${asked}`)
  const edge = edges.find((e) => e.client !== e.server && e.kind !== 'dns')
  await withPage(`/map?${range}`, async (page) => {
    const line = `.call[data-client=${JSON.stringify(edge.client)}][data-server=${JSON.stringify(edge.server)}] path`
    await page.waitForSelector(line, { state: 'attached', ...READY })
    // Lines cross, so a click at a place could hit another one; the event goes to this line itself.
    await page.dispatchEvent(line, 'click')
    await page.waitForSelector('.map-panel .golden', READY)
    const panel = await page.textContent('.map-panel')
    assert.ok(panel.includes(edge.client) && panel.includes(edge.server))
    await page.click('[aria-label="Close"]')
    await page.waitForSelector('.map-panel', { state: 'detached' })
  })
})

test('a line of several protocols has the golden signals of each', async (t) => {
  const { edges } = await getJSON(`/api/topology?${asked}`)
  const of = (e) => edges.filter((x) => x.client === e.client && x.server === e.server)
  const edge = edges.find((e) => of(e).length > 1)
  if (!edge) return t.skip('no two services here speak two protocols')
  await withPage(`/map?${range}&sel=${encodeURIComponent(`${edge.client}→${edge.server}`)}`, async (page) => {
    await page.waitForSelector('.map-panel .golden', READY)
    assert.equal(await page.$$eval('.map-panel .edge-protocol .golden', (all) => all.length), of(edge).length)
  })
})

test('an address gives back what it shows, in another browser', async () => {
  const { nodes } = await getJSON(`/api/topology?${asked}`)
  const focus = nodes.find((n) => n.server).id
  let address, first
  await withPage(`/map?${range}`, async (page) => {
    await page.waitForSelector('.node[data-node]', READY)
    await page.click(`.node[data-node=${JSON.stringify(focus)}]`)
    await page.click('.map-panel >> text=Focus')
    await page.click('.focus-chip label:has-text("2")')
    await page.waitForFunction(() => location.search.includes('hops=2'))
    await page.waitForTimeout(600)
    first = await page.$$eval('.node[data-node]', (all) => all.map((n) => n.dataset.node).sort())
    address = new URL(page.url())
  })
  await withPage(address.pathname + address.search, async (page) => {
    await page.waitForFunction((n) => document.querySelectorAll('.node[data-node]').length === n, first.length, READY)
    assert.deepEqual(await page.$$eval('.node[data-node]', (all) => all.map((n) => n.dataset.node).sort()), first)
    assert.ok(await page.isVisible('.map-panel'))
  })
})

test('dragging over a chart selects that time', async () => {
  const { services } = await getJSON(`/api/services?${asked}`)
  const name = services.find((s) => s.server).name
  await withPage(`/service/${encodeURIComponent(name)}?${range}`, async (page) => {
    const box = await (await page.waitForSelector('.uplot .u-over', READY)).boundingBox()
    const y = box.y + box.height / 2
    // the younger end, where there is traffic also when Sonde has only just begun to watch
    await page.mouse.move(box.x + box.width * 0.7, y)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.98, y, { steps: 8 })
    await page.mouse.up()
    await page.waitForFunction((from) => new URL(location.href).searchParams.get('from') > from, String(now - 300))
    const query = new URL(page.url()).searchParams
    assert.ok(Math.abs(Number(query.get('from')) - (now - 90)) <= 3, `from ${query.get('from')}, want about ${now - 90}`)
    assert.ok(Math.abs(Number(query.get('to')) - (now - 6)) <= 3, `to ${query.get('to')}, want about ${now - 6}`)
    await page.waitForFunction(() => !document.querySelector('.stale'))
  })
})

test('requests made are another side of the same service', async (t) => {
  const { services } = await getJSON(`/api/services?${asked}`)
  const both = services.find((s) => s.server && s.client)
  if (!both) return t.skip('no service here both serves and calls')
  const { calls } = await getJSON(`/api/services/${encodeURIComponent(both.name)}?${asked}&side=client`)
  await withPage(`/service/${encodeURIComponent(both.name)}?${range}`, async (page) => {
    await page.waitForSelector('.uplot', READY)
    await page.click('text=Requests made')
    await page.waitForSelector('text=Interfaces called')
    assert.equal(await page.$$eval('table[aria-label=Interfaces] tbody tr', (rows) => rows.length), calls.length)
  })
})

test('dark and light differ, and the choice stays', async () => {
  await withPage('/', async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    await page.click('[aria-label="Use dark colours"]')
    await page.waitForSelector('[aria-label="Use light colours"]')
    const dark = await ground()
    assert.notEqual(dark, light)
    await page.reload()
    assert.equal(await ground(), dark)
  }, { colorScheme: 'light' })
})

test('the status page shows every probe', async () => {
  const { probes, host } = await getJSON('/api/status')
  await withPage('/status', async (page) => {
    await page.waitForSelector('h1', READY)
    assert.equal(await page.textContent('h1'), host)
    assert.equal(await page.$$eval('table[aria-label=Probes] tbody tr', (rows) => rows.length), probes.length)
  })
})

test('a kind of calls that is left out takes its lines and what only it reaches off the map', async (t) => {
  const { nodes, edges } = asDrawn(await getJSON(`/api/topology?${asked}`))
  const kinds = [...new Set(edges.map((e) => e.kind))]
  if (kinds.length < 2) return t.skip('everything here is of one kind')
  const kind = edges.at(-1).kind
  const left = edges.filter((e) => e.kind !== kind)
  const reached = (all) => new Set(all.flatMap((e) => [e.client, e.server]))
  const wanted = nodes.filter((n) => reached(left).has(n.id) || !reached(edges).has(n.id)).map((n) => n.id)
  await withPage(`/map?${range}&flows=0&hide=${kind}`, async (page) => {
    await page.waitForFunction((n) => document.querySelectorAll('.node[data-node]').length === n, wanted.length, READY)
    assert.deepEqual(await page.$$eval('.node[data-node]', (all) => all.map((n) => n.dataset.node).sort()), wanted.sort())
    assert.deepEqual((await page.$$eval('.call[data-edge]', (all) => all.map((e) => `${e.dataset.client} > ${e.dataset.server}`))).sort(), pairs(left))
    await page.click('.map-kinds[aria-label="Kinds of calls"] button[aria-pressed=false]')
    await page.waitForFunction((n) => document.querySelectorAll('.node[data-node]').length === n, nodes.length, READY)
    assert.equal(new URL(page.url()).searchParams.get('hide'), 'none')
  })
})

const kinds = { databases: 'db,cache', queues: 'messaging', dns: 'dns', rpc: 'rpc' }

for (const [name, kind] of Object.entries(kinds)) {
  test(`the page /${name} shows who answers and what is asked, as the API tells it`, async (t) => {
    const { offerers, offers } = await getJSON(`/api/interfaces?kind=${kind}&limit=2000&${asked}`)
    if (offerers.length === 0) {
      await withPage(`/${name}?${range}`, (page) => page.waitForSelector('.message h2', READY))
      return t.skip(`nothing of kind ${kind} here: only the empty page was looked at`)
    }
    const distinct = (all, key) => [...new Set(all.map(key))]
    const of = (all, key) => distinct(all, key).sort()
    // What is asked of a broker about no destination is told by its operations, the busiest first.
    const asides = ({ service, protocol }) => offers.filter((o) => !o.target && o.service === service && o.protocol === protocol)
    const operations = (o) => distinct(asides(o).sort((a, b) => b.red.rate - a.red.rate), (x) => x.operation).join(', ')
    const rowKey = name === 'queues' ? (o) => o.target || `no destination (${operations(o)})` : (o) => o.target || (o.operation ? '' : 'other')
    await withPage(`/${name}?${range}`, async (page) => {
      await page.waitForSelector('.offerer', READY)
      const cards = () => page.$$eval('.offerer', (all) => all.map((card) => card.dataset.offerer))
      assert.deepEqual((await cards()).slice(0, 8), offerers.slice(0, 8).map((o) => o.service))
      const rows = () => page.$$eval('table tbody .offer-name', (all) => all.map((row) => row.textContent))
      if (offers.length < 100) assert.deepEqual([...new Set(await rows())].sort(), of(offers, rowKey))
      // One of them alone.
      const [chosen] = offerers
      await page.click(`.offerer[data-offerer=${JSON.stringify(chosen.service)}] .offerer-name`)
      await page.waitForSelector('.offerer[data-selected=true]')
      assert.equal(new URL(page.url()).searchParams.get('of'), chosen.service)
      const mine = offers.filter((o) => o.service === chosen.service)
      if (mine.length < 100) assert.deepEqual([...new Set(await rows())].sort(), of(mine, rowKey))
    })
  })
}

test('a statement opens with all of its text and its callers, and the address keeps it', async (t) => {
  const { offers } = await getJSON(`/api/interfaces?kind=db,cache&limit=2000&${asked}`)
  if (offers.length === 0) return t.skip('no database here')
  let address, text
  await withPage(`/databases?${range}`, async (page) => {
    await page.waitForSelector('table tbody .offer-name', READY)
    const first = offers[0]
    assert.equal(await page.textContent('table tbody tr:first-child .offer-name'), first.target, 'what took most time comes first')
    await page.click('table tbody tr:first-child .offer-name')
    await page.waitForSelector('.side-panel')
    assert.equal(await page.textContent('.side-panel .statement'), first.target)
    const callers = await page.$$eval('.side-panel .caller-list a', (all) => all.map((a) => a.textContent))
    assert.deepEqual(callers, first.callers.map((c) => c.name))
    address = new URL(page.url())
    text = await page.textContent('.side-panel')
  })
  await withPage(address.pathname + address.search, async (page) => {
    await page.waitForSelector('.side-panel', READY)
    assert.equal(await page.textContent('.side-panel'), text)
    await page.click('.side-panel [aria-label=Close]')
    await page.waitForSelector('.side-panel', { state: 'detached' })
  })
})

test('where nothing of a kind was seen, the page says which protocols it knows', async () => {
  const { page, context } = await openPage(browser)
  const body = { range: { start: 0, end: 1 }, kinds: ['db'], protocols: ['mysql', 'postgresql'], offerers: [], offers: [], total: 0, loss: { total: 0, causes: {} } }
  await page.route('**/api/interfaces?*', (route) => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(body) }))
  await page.goto('/databases')
  await page.waitForSelector('text=No database has been asked anything yet', READY)
  assert.match(await page.textContent('.message'), /MySQL and PostgreSQL/)
  await page.unroute('**/api/interfaces?*')
  await page.route('**/api/interfaces?*', (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":"Too many questions at a time."}' }))
  await page.reload()
  await page.waitForSelector('text=Too many questions at a time', READY)
  await context.close()
})

test('while Sonde does not answer, the page says so and keeps its figures', async () => {
  const { page, context } = await openPage(browser)
  await page.goto('/?refresh=5')
  await page.waitForSelector('table tbody tr', READY)
  const rows = (await names(page)).length
  await context.setOffline(true)
  await page.waitForSelector('text=Cannot reach Sonde', READY)
  assert.equal((await names(page)).length, rows)
  await context.setOffline(false)
  await page.waitForSelector('text=Cannot reach Sonde', { state: 'detached', ...READY })
  await context.close()
})

test('nothing seen, and an error of the server, are told in words', async () => {
  const reply = (status, body) => (route) => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) })
  const { page, context } = await openPage(browser)
  await page.route('**/api/services?*', reply(200, { range: { start: 0, end: 1 }, services: [], abnormal: 0, total: 0, loss: { total: 0, causes: {} } }))
  await page.goto('/')
  await page.waitForSelector('text=No traffic seen yet', READY)
  await page.unroute('**/api/services?*')
  await page.route('**/api/services?*', reply(422, { error: 'The range is longer than what is kept: choose 15 days or less.' }))
  await page.reload()
  await page.waitForSelector('text=choose 15 days or less', READY)
  await context.close()
})

test('a slow or failed request opens to what was said, as the API tells it', async (t) => {
  const { services } = await getJSON(`/api/services?${asked}`)
  for (const { name, server } of services) {
    if (!server) continue
    const { samples } = await getJSON(`/api/samples?service=${encodeURIComponent(name)}&side=server&limit=20&${asked}`)
    if (samples.length === 0) continue
    await withPage(`/service/${encodeURIComponent(name)}?${range}&side=server`, async (page) => {
      const rows = page.locator('table.samples .sample-toggle')
      await rows.first().waitFor(READY)
      assert.equal(await rows.count(), samples.length)
      await rows.first().click()
      const text = await page.locator('section[aria-label="Request"] pre').innerText()
      assert.ok(text.startsWith(samples[0].request), `${text} is not ${samples[0].request}`)
      await rows.first().click()
      assert.equal(await page.locator('section[aria-label="Request"]').count(), 0)
    })
    return
  }
  t.skip('no service had a slow or failed request')
})
