// A client on Node's https: OpenSSL inside the program, in memory. One after the other, then many at once.
'use strict'
const https = require('https')
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })

const ask = path => new Promise((resolve, reject) => {
  https.get(process.argv[2] + path, { agent }, response => {
    response.resume()
    response.on('end', resolve)
  }).on('error', reject)
})

const main = async () => {
  const paths = ['/hello', '/big', '/none', '/page', '/fail']
  for (const path of paths) await ask(path)
  await Promise.all([...paths, ...paths].map(ask))
  agent.destroy()
}
main()
