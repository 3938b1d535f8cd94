// A client of what is spoken inside HTTP, as Node writes it: head and body of a request by one call in two pieces.
// node dialects.js PORT ROUNDS; one connection, whose first request is to a model.
const http = require('node:http')
const [port, rounds] = process.argv.slice(2).map(Number)
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

function ask(path, body) {
  return new Promise((resolve, reject) => {
    const req = http.request({ port, host: '127.0.0.1', agent, path, method: 'POST', headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, (res) => {
      res.resume()
      res.on('end', resolve)
      res.on('error', reject)
    })
    req.on('error', reject)
    req.write(Buffer.from(body)) // bytes, not text, go out beside the head
    req.end()
  })
}

async function main() {
  for (let i = 0; i < rounds; i++) {
    await ask('/v1/chat/completions', JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(3000) }], model: 'gpt-n', stream: true, stream_options: { include_usage: true } }))
    await ask('/graphql', JSON.stringify({ query: `query GetCart { cart(id: "${'i'.repeat(1000)}") { id } }`, operationName: 'GetCart' }))
  }
  agent.destroy()
}
main().catch((err) => { console.error(err); process.exit(1) })
