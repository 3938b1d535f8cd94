// A server and a client on Node's http2, for HTTP and, by hand, for gRPC. "server PORT" serves until SIGTERM; "client PORT N"
// makes N rounds of calls at once on one connection. Both print their own account as lines {Method, Route, Status, N, …}.
const http2 = require('http2');
const [role, port, rounds] = process.argv.slice(2);
const tls = process.env.TRUTH_TLS; // folder of cert.pem and key.pem; empty for plain text
const names = ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'];
const rows = {}, durations = {http: [], grpc: []}; // seconds
function count(kind, method, route, status, req, res) {
  const r = rows[[kind, method, route, status]] ||= {Kind: kind, Method: method, Route: route, Status: status, N: 0, RequestBytes: 0, ResponseBytes: 0};
  r.N++; r.RequestBytes += req; r.ResponseBytes += res;
}
function report() {
  for (const r of Object.values(rows)) console.log(JSON.stringify(r));
  for (const [kind, all] of Object.entries(durations)) if (all.length) console.log(JSON.stringify({Kind: kind, Durations: all}));
}
const clock = () => Number(process.hrtime.bigint()) / 1e9;
const message = n => { const b = Buffer.alloc(5 + n); b.writeUInt32BE(n, 1); return b; };

if (role === 'server') {
  const read = name => require('fs').readFileSync(tls + '/' + name);
  const server = tls ? http2.createSecureServer({cert: read('cert.pem'), key: read('key.pem')}) : http2.createServer();
  server.on('stream', (st, h) => {
    let n = 0;
    st.on('data', d => n += d.length);
    st.on('error', () => {});
    st.on('end', () => {
      const path = h[':path'].split('?')[0];
      if ((h['content-type'] || '').startsWith('application/grpc')) {
        if (path.endsWith('/EmptyCall')) {
          st.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true});
          st.on('wantTrailers', () => st.sendTrailers({'grpc-status': '0', 'grpc-message': ''}));
          setTimeout(() => st.end(message(0)), 30);
        } else { // Trailers-Only
          st.respond({':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'none'}, {endStream: true});
        }
        return;
      }
      st.respond({':status': path === '/missing' ? 404 : 200});
      setTimeout(() => st.end(Buffer.alloc(path === '/big' ? 200000 : 10)), path === '/slow' ? 30 : 0);
    });
  });
  server.listen(+port, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
} else {
  const c = http2.connect((tls ? 'https' : 'http') + '://127.0.0.1:' + port, {rejectUnauthorized: false});
  const call = (headers, body, cancel) => new Promise((done, fail) => {
    const st = c.request(headers, {endStream: false});
    let n = 0, status, grpc;
    st.on('response', h => { status = h[':status']; grpc ??= h['grpc-status']; });
    st.on('trailers', h => grpc = h['grpc-status']);
    st.on('data', d => n += d.length);
    st.on('error', fail);
    st.on('close', () => done({status, grpc, n}));
    st.end(body);
    if (cancel) setTimeout(() => st.close(http2.constants.NGHTTP2_CANCEL), 30);
  });
  const plain = async (method, path, size) => {
    const begin = clock();
    const r = await call({':method': method, ':path': path + '?token=secret'}, Buffer.alloc(size));
    durations.http.push(clock() - begin);
    count('http', method, path, String(r.status), size, r.n);
  };
  const rpc = async (method, body, cancel) => {
    const path = '/grpc.testing.TestService/' + method;
    const begin = clock();
    const r = await call({':method': 'POST', ':path': path, 'content-type': 'application/grpc+proto', te: 'trailers'}, body, cancel);
    if (!cancel) durations.grpc.push(clock() - begin);
    count('grpc', '', path.slice(1), cancel ? 'CANCELLED' : names[r.grpc], 0, 0);
  };
  const error = Buffer.concat([message(4), Buffer.alloc(0)]); // SimpleRequest{response_status: {code: 5}}
  error.set([0x3a, 2, 8, 5], 5);
  const plan = process.argv[5] || '';
  (async () => {
    if (plan === 'grpc-old') { // the connection is used, then waits for a line, and its first call after that is made alone
      await rpc('EmptyCall', message(0));
      for (const k in rows) delete rows[k];
      durations.grpc = [];
      console.error('ready');
      await new Promise(go => process.stdin.once('data', go));
      await rpc('EmptyCall', message(0));
      process.stdin.destroy();
    }
    for (let i = 0; i < +rounds; i++) {
      const all = [];
      for (let k = 0; k < 5; k++) {
        if (!plan.startsWith('grpc')) all.push(plain('GET', '/hello', 0), plain('POST', '/big', 70000), plain('GET', '/missing', 0), plain('GET', '/slow', 0));
        all.push(rpc('EmptyCall', message(0)), rpc('UnaryCall', error));
        if (plan === 'grpc') all.push(rpc('CacheableUnaryCall', message(0), true));
      }
      await Promise.all(all);
    }
    setTimeout(() => { c.close(); report(); }, 100);
  })().catch(e => { console.error(e); process.exit(1); });
}
