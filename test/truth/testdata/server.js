// The truth server on Node's http.
'use strict'
const fs = require('fs')
const http = require('http')
const https = require('https')

function answer (method, path, body) {
  if (path === '/hello') return [200, 'hello world\n']
  if (path.startsWith('/items/')) return method === 'DELETE' ? [204, null] : [200, '{"ok": true}']
  if (path === '/echo') return [200, body]
  if (path === '/fail') return [500, 'broken']
  if (path === '/cached') return [304, null]
  if (path === '/big') return [200, 'x'.repeat(300000)]
  return [404, 'nope']
}

function serve (request, response) {
  const parts = []
  request.on('data', part => parts.push(part))
  request.on('end', () => {
    if (request.url === '/chunked') {
      for (let i = 0; i < 5; i++) response.write('y'.repeat(1000))
      return response.end()
    }
    const [status, body] = answer(request.method, request.url, Buffer.concat(parts))
    response.writeHead(status, body === null ? {} : { 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  })
}

const folder = process.argv[3] // of a certificate: by TLS
const server = folder
  ? https.createServer({ cert: fs.readFileSync(folder + '/cert.pem'), key: fs.readFileSync(folder + '/key.pem') }, serve)
  : http.createServer(serve)
server.keepAliveTimeout = 60000 // a test may take its time
server.listen(Number(process.argv[2]), '127.0.0.1')
