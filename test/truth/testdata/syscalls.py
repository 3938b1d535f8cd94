"""Client and server that move each message by another socket call, and log it.

usage: syscalls.py server PORT
       syscalls.py client PORT     (prints one JSON row for each request, then ends)

Each way of sending and of receiving has its own path; heads always travel by a call that has a user buffer.
"""
import json
import os
import socket
import sys
import tempfile

BODY = b"0123456789" * 700  # more than one small buffer, less than one pipe (64 KiB)


def in_parts(b, n=3):
    size = len(b) // n + 1
    return [b[i:i + size] for i in range(0, len(b), size)]


def all_of(send):
    def whole(s, b):
        while b:
            b = b[send(s, b):]
    return whole


def sendfile(s, b):
    head, body = b.split(b"\r\n\r\n", 1)
    s.sendall(head + b"\r\n\r\n")
    with tempfile.TemporaryFile() as f:
        f.write(body)
        f.flush()
        sent = 0
        while sent < len(body):
            sent += os.sendfile(s.fileno(), f.fileno(), sent, len(body) - sent)


def splice_out(s, b):
    head, body = b.split(b"\r\n\r\n", 1)
    s.sendall(head + b"\r\n\r\n")
    r, w = os.pipe()
    os.write(w, body)
    left = len(body)
    while left:
        left -= os.splice(r, s.fileno(), left)
    os.close(r)
    os.close(w)


def drip(s, b):
    head, body = b.split(b"\r\n\r\n", 1)
    for i in range(len(head)):
        s.send(head[i:i + 1])
    s.sendall(b"\r\n\r\n" + body)


SEND = {
    "write": all_of(lambda s, b: os.write(s.fileno(), b)),
    "writev": all_of(lambda s, b: os.writev(s.fileno(), in_parts(b))),
    "send": all_of(lambda s, b: s.send(b)),
    "sendto": all_of(lambda s, b: s.sendto(b, s.getpeername())),
    "sendmsg": all_of(lambda s, b: s.sendmsg(in_parts(b, 5))),
    "sendfile": sendfile,
    "splice-out": splice_out,
    "drip": drip,
    "more": lambda s, b: (s.send(b[:40], socket.MSG_MORE), s.sendall(b[40:])),
}


def recv_peek(s, n):
    s.recv(n, socket.MSG_PEEK)
    s.recv(10, socket.MSG_PEEK)
    return s.recv(n)


def readv(s, n):
    bufs = [bytearray(100), bytearray(1000), bytearray(n)]
    got = os.readv(s.fileno(), bufs)
    return b"".join(bufs)[:got]


def recv_into(s, n):
    buf = bytearray(n)
    return bytes(buf[:s.recv_into(buf)])


def splice_in(s, n):
    # The head by recv, so that it can be read; what is left of the body straight into a pipe.
    b = s.recv(200)
    if b"\r\n\r\n" not in b:
        return b
    left = length_of(b) - len(b.split(b"\r\n\r\n", 1)[1])
    r, w = os.pipe()
    while left > 0:
        got = os.splice(s.fileno(), w, left)
        b += os.read(r, got)
        left -= got
    os.close(r)
    os.close(w)
    return b


RECV = {
    "read": lambda s, n: os.read(s.fileno(), n),
    "readv": readv,
    "recv": lambda s, n: s.recv(n),
    "recvfrom": lambda s, n: s.recvfrom(n)[0],
    "recvmsg": lambda s, n: s.recvmsg(n)[0],
    "recv-into": recv_into,
    "recv-small": lambda s, n: s.recv(37),
    "peek": recv_peek,
    "splice-in": splice_in,
}


def length_of(head):
    for line in head.split(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def read_message(s, recv):
    b = b""
    while b"\r\n\r\n" not in b:
        part = recv(s, 4096)
        if not part:
            return None, None
        b += part
    head, body = b.split(b"\r\n\r\n", 1)
    want = length_of(head)
    while len(body) < want:
        body += recv(s, 65536)
    return head, body


def ways():
    """(path, send, recv): every way of sending with plain recv, every way of receiving with plain send, and both alike."""
    for name, send in SEND.items():
        yield "/by-" + name, send, RECV["recv"]
    for name, recv in RECV.items():
        yield "/by-" + name, SEND["send"], recv


def ways_of_path(path):
    for p, send, recv in ways():
        if p == path:
            return send, recv
    raise ValueError(path)


def server(port):
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        s, _ = listener.accept()
        # The way is named by the first request; peeking at it is one more thing that must not be counted.
        first = b""
        while first.count(b" ") < 2:
            first = s.recv(100, socket.MSG_PEEK)
        send, recv = ways_of_path(first.split(b" ")[1].decode())
        while True:
            head, body = read_message(s, recv)
            if head is None:
                break
            send(s, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        s.close()


def client(port):
    for path, send, recv in ways():
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(3):
                body = BODY[:len(BODY) - i]
                send(s, f"POST {path} HTTP/1.1\r\nHost: truth\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                head, reply = read_message(s, recv)
                status = head.split(b" ")[1].decode()
                print(json.dumps({"Method": "POST", "Route": path, "Status": status, "N": 1,
                                  "RequestBytes": len(body), "ResponseBytes": len(reply)}))


{"server": server, "client": client}[sys.argv[1]](int(sys.argv[2]))
