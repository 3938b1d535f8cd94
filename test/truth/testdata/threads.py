"""The truth server on Python's http.server: one thread for each connection, chunked bodies read by hand."""
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def serve(self):
        body = self.body()
        path = self.path
        if path == "/hello":
            return self.reply(200, b"hello world\n")
        if path.startswith("/items/"):
            return self.reply(204, None) if self.command == "DELETE" else self.reply(200, b'{"ok": true}')
        if path == "/echo":
            return self.reply(200, body)
        if path == "/fail":
            return self.reply(500, b"broken")
        if path == "/cached":
            return self.reply(304, None)
        if path == "/big":
            return self.reply(200, b"x" * 300000)
        if path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(5):
                self.wfile.write(b"3e8\r\n" + b"y" * 1000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return None
        return self.reply(404, b"nope")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def reply(self, status, body):
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body is not None and self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
if len(sys.argv) > 2:  # a folder with a certificate: by TLS
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
