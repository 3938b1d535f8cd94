// A service of the demo: Node's http, one event loop.
'use strict'
const fs = require('fs')
const http = require('http')
const { Cache } = require('./cache')

const plan = { routes: [], port: 0, keepAlive: false, log: 0 }
for (const line of fs.readFileSync(process.env.SONDE_DEMO_SPEC, 'utf8').split('\n')) {
  const f = line.split('\t')
  if (f[0] === 'port') plan.port = Number(f[1])
  if (f[0] === 'keepalive') plan.keepAlive = f[1] === '1'
  if (f[0] === 'log') plan.log = fs.openSync(f[1], 'a')
  if (f[0] === 'route') {
    const [status, delay, slowPercent, slow, failPercent, failStatus, bytes] = f.slice(3).map(Number)
    plan.routes.push({ method: f[1], path: f[2], status, delay, slowPercent, slow, failPercent, failStatus, bytes, calls: [] })
  }
  if (f[0] === 'call') {
    plan.routes.at(-1).calls.push({ method: f[1], to: f[2], path: f[3], bytes: Number(f[4]), addresses: f[5].split(','), protocol: f[6] })
  }
}
const agent = new http.Agent({ keepAlive: plan.keepAlive, maxSockets: 32 })

function matchPath (pattern, path) {
  const ps = pattern.split('/')
  const ss = path.split('/')
  let star = ''
  if (ps.length !== ss.length) return null
  for (let i = 0; i < ps.length; i++) {
    if (ps[i] === '*') star = ss[i]
    else if (ps[i] !== ss[i]) return null
  }
  return star
}

const filler = n => n < 2 ? '0'.repeat(n) : '"' + 'x'.repeat(n - 2) + '"'

const log = (to, operation, target, status) => fs.writeSync(plan.log, `${to}\t${operation}\t${target}\t${status}\n`)

let cache
const expireSeconds = '60'
const batches = {
  GET: key => [['GET', key]],
  DEL: key => [['DEL', key]],
  COUNT: key => [['INCR', key], ['EXPIRE', key, expireSeconds]]
}

async function callCache (c, key) {
  if (!cache || cache.isClosed) cache = new Cache(c.addresses[0])
  const commands = batches[c.method](key)
  const statuses = await cache.send(commands)
  commands.forEach(([operation], i) => log(c.to, operation, key, statuses[i]))
  return statuses.includes('599') ? 500 : 200
}

function call (c, star) {
  const path = c.path.replaceAll('*', star)
  if (c.protocol === 'redis') return callCache(c, path)
  const [host, port] = c.addresses[0].split(':')
  return new Promise(resolve => {
    const done = status => {
      log(c.to, c.method, path, status)
      resolve(status)
    }
    const request = http.request({ host, port, method: c.method, path, agent, timeout: 10000 }, response => {
      response.resume()
      response.on('end', () => done(response.statusCode))
    })
    request.on('error', () => done(599))
    request.end(c.bytes ? filler(c.bytes) : undefined)
  })
}

async function answer (request) {
  const route = plan.routes.find(r => r.method === request.method && matchPath(r.path, request.url) !== null)
  if (!route) return [404, 'no such thing']
  let status = route.status
  const star = matchPath(route.path, request.url) || String(1000 + Math.floor(Math.random() * 9000))
  for (const c of route.calls) {
    if (await call(c, star) >= 500) {
      status = 502
      break
    }
  }
  const slow = Math.random() * 100 < route.slowPercent
  await new Promise(resolve => setTimeout(resolve, slow ? route.slow : (0.5 + Math.random()) * route.delay))
  return [Math.random() * 100 < route.failPercent ? route.failStatus : status, filler(route.bytes)]
}

http.createServer((request, response) => {
  request.resume()
  request.on('end', async () => {
    const [status, body] = await answer(request)
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  })
}).listen(plan.port, '127.0.0.1')
