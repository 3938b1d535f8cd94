// A client on Node's https: OpenSSL inside the program, in memory. One after the other, then many at once; or, told "old", some
// on a connection that was used before it said "ready" and read a line, of which it prints an account.
'use strict'
const https = require('https')
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })

const ask = path => new Promise((resolve, reject) => {
  https.get(process.argv[2] + path, { agent }, response => {
    let size = 0
    response.on('data', d => { size += d.length })
    response.on('end', () => resolve({ status: response.statusCode, size }))
  }).on('error', reject)
})

const old = async () => {
  await ask('/hello')
  console.error('ready')
  await new Promise(go => process.stdin.once('data', go))
  const got = []
  for (let i = 0; i < 4; i++) got.push(await ask('/hello'))
  const row = { Method: 'GET', Route: '/hello', Status: '200', N: 0, ResponseBytes: 0 }
  for (const { status, size } of got) if (status === 200) { row.N++; row.ResponseBytes += size }
  console.log(JSON.stringify({ Rows: [row] }))
  process.stdin.destroy()
  agent.destroy()
}

const main = async () => {
  const paths = ['/hello', '/big', '/none', '/page', '/fail']
  for (const path of paths) await ask(path)
  await Promise.all([...paths, ...paths].map(ask))
  agent.destroy()
}
process.argv[3] === 'old' ? old() : main()
