# A client of FastCGI: requests one after the other on kept connections and on fresh ones. PORT SCRIPT [old]. It prints how long /app/slow took.
import json
import socket
import struct
import sys
import time

port, script = int(sys.argv[1]), sys.argv[2]


def record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    def length(s):
        return bytes([len(s)]) if len(s) < 128 else struct.pack(">I", len(s) | 0x80000000)
    return length(name) + length(value) + name.encode() + value.encode()


def ask(s, method, uri, body=b"", keep=True):
    params = b"".join(pair(*p) for p in {
        "SCRIPT_FILENAME": script, "SCRIPT_NAME": "/app.php", "REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)) if body else "", "HTTP_COOKIE": "c" * 300}.items())
    data = record(1, struct.pack(">HB5x", 1, 1 if keep else 0)) + record(4, params) + record(4, b"")
    while body:
        data += record(5, body[:30000])
        body = body[30000:]
    data += record(5, b"")
    for i in range(0, len(data), 7000):  # in many calls
        s.sendall(data[i:i + 7000])
    f = s.makefile("rb")
    while True:
        head = f.read(8)
        _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", head)
        f.read(size + padding)
        if kind == 3:
            return


if "old" in sys.argv:  # a kept connection is used before Sonde, and after
    s = socket.create_connection(("127.0.0.1", port))
    ask(s, "GET", "/app/warm")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    for i in range(20):
        ask(s, "GET", "/app/orders/%d" % i)
        ask(s, "GET", "/app/missing")
        ask(s, "POST", "/app/upload?x=1", b"u" * 10000)
    sys.exit()

durations = []
for _ in range(2):
    s = socket.create_connection(("127.0.0.1", port))
    for i in range(20):
        ask(s, "GET", "/app/orders/%d" % i)
        ask(s, "HEAD", "/app/missing")
        ask(s, "POST", "/app/upload?x=1", b"u" * 100000)
        ask(s, "GET", "/app/large")
        begin = time.monotonic()
        ask(s, "GET", "/app/slow")
        durations.append(time.monotonic() - begin)
    s.close()
for i in range(10):
    s = socket.create_connection(("127.0.0.1", port))
    ask(s, "DELETE", "/app/fail", keep=False)
    s.close()
print(json.dumps({"Durations": durations}))
