"""A service of the demo: Python's http.server, one thread for each connection."""
import http.client
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import database
import shop

plan = shop.Plan()


def query(c, sql):
    state = database.query(c["addresses"][0], plan.service, sql)
    plan.logged(c, sql, state, operation=sql.split(" ")[0])
    return 200 if state == "-" else 409 if state.startswith("23") else 500


def call(c, star):
    path, status = c["path"].replace("*", star), 599
    if c["protocol"] == "postgresql":
        return query(c, path)
    host, port = c["addresses"][0].split(":")
    conn = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        conn.request(c["method"], path, body=shop.filler(c["bytes"]) if c["bytes"] else None)
        response = conn.getresponse()
        response.read()
        status = response.status
    except OSError:
        pass
    finally:
        conn.close()
    plan.logged(c, path, status)
    return status


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        route, star = plan.match(self.command, self.path)
        if route is None:
            return self.reply(404, b"no such thing")
        status = route["status"]
        for c in route["calls"]:
            if call(c, star) >= 500:
                status = 502
                break
        time.sleep(shop.work(route))
        self.reply(shop.outcome(route, status), shop.filler(route["bytes"]))

    do_GET = do_POST = serve

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


Server(("127.0.0.1", plan.port), Handler).serve_forever()
