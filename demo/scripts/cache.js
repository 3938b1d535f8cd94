// A client of the demo's cache: RESP2 on one connection, replies in the order of the commands.
'use strict'
const net = require('net')

class Cache {
  constructor (address) {
    const [host, port] = address.split(':')
    this.waiting = []
    this.received = ''
    this.socket = net.connect({ host, port })
    this.socket.setNoDelay(true)
    this.socket.setEncoding('latin1')
    this.socket.on('data', text => this.read(text))
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.isClosed = true
      for (const done of this.waiting.splice(0)) done('599')
    })
  }

  /** Sends commands together; resolves to one status for each: OK, NIL, the first word of an error. */
  send (commands) {
    if (this.isClosed) return Promise.resolve(commands.map(() => '599'))
    const statuses = commands.map(() => new Promise(resolve => this.waiting.push(resolve)))
    this.socket.write(commands.map(words => `*${words.length}\r\n` + words.map(w => `$${w.length}\r\n${w}\r\n`).join('')).join(''), 'latin1')
    return Promise.all(statuses)
  }

  read (text) {
    this.received += text
    for (;;) {
      let end = this.received.indexOf('\r\n')
      if (end < 0) return
      const [kind, rest] = [this.received[0], this.received.slice(1, end)]
      end += 2
      let status = 'OK'
      if (kind === '-') status = rest.split(' ')[0]
      if (kind === '$' && rest === '-1') status = 'NIL'
      else if (kind === '$') end += Number(rest) + 2
      if (this.received.length < end) return
      this.received = this.received.slice(end)
      this.waiting.shift()(status)
    }
  }
}

module.exports = { Cache }
