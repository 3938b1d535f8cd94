"""A client of the demo's database: PostgreSQL's protocol, version 3, one simple query on a connection of its own."""
import socket
import struct


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def until_ready(stream):
    """Reads up to ReadyForQuery; returns the SQLSTATE of an error, "-" for none."""
    state = "-"
    while True:
        head = stream.read(5)
        if len(head) < 5:
            return "599"
        kind, size = head[:1], struct.unpack("!I", head[1:])[0] - 4
        body = stream.read(size)
        if kind == b"E":
            state = next(f[1:].decode() for f in body.split(b"\0") if f[:1] == b"C")
        if kind == b"Z":
            return state


def query(address, user, sql):
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as s, s.makefile("rb") as stream:
            s.sendall(message(b"", struct.pack("!I", 3 << 16) + f"user\0{user}\0database\0shop\0\0".encode()))
            if until_ready(stream) != "-":
                return "599"
            s.sendall(message(b"Q", sql.encode() + b"\0"))
            state = until_ready(stream)
            s.sendall(message(b"X", b""))
            return state
    except OSError:
        return "599"
