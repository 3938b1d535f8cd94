"""Calls a Thrift server by Apache's library for Python, and prints what it got: port, calls, framed or buffered, binary or compact, [old] [tls]."""
import json
import ssl
import sys
import time
from collections import Counter

from thrift.Thrift import TApplicationException, TMessageType, TType
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.transport import TSocket, TSSLSocket, TTransport

port, calls, transport, protocol = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
names = {TApplicationException.INTERNAL_ERROR: "INTERNAL_ERROR", TApplicationException.UNKNOWN_METHOD: "UNKNOWN_METHOD"}
wrap = TTransport.TFramedTransport if transport == "framed" else TTransport.TBufferedTransport
socket = TSSLSocket.TSSLSocket("127.0.0.1", port, cert_reqs=ssl.CERT_NONE) if "tls" in sys.argv else TSocket.TSocket("127.0.0.1", port)
tr = wrap(socket)
p = TBinaryProtocol.TBinaryProtocol(tr) if protocol == "binary" else TCompactProtocol.TCompactProtocol(tr)
tr.open()


def send(name, kind):
    p.writeMessageBegin(name, kind, 0)  # as generated code does: all of one sequence id
    p.writeStructBegin("args")
    p.writeFieldBegin("text", TType.STRING, 1)
    p.writeString("ä" * 500)
    p.writeFieldEnd()
    p.writeFieldStop()
    p.writeStructEnd()
    p.writeMessageEnd()
    tr.flush()


def receive():
    _, kind, _ = p.readMessageBegin()
    if kind == TMessageType.EXCEPTION:
        x = TApplicationException()
        x.read(p)
        p.readMessageEnd()
        return names[x.type]
    p.readStructBegin()
    first = 0
    while True:
        _, t, field = p.readFieldBegin()
        if t == TType.STOP:
            break
        first = field
        p.skip(t)
        p.readFieldEnd()
    p.readStructEnd()
    p.readMessageEnd()
    return "EXCEPTION" if first else "OK"


seen, durations = Counter(), []


def call(method):
    send(method, TMessageType.CALL)
    seen[method, receive()] += 1


if "old" in sys.argv:
    call("early")
    seen.clear()
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    call("early")
for _ in range(calls):
    for method in ("get", "put", "find", "fail", "gone"):
        call(method)
    begin = time.monotonic()
    call("slow")
    durations.append(time.monotonic() - begin)
    send("log", TMessageType.ONEWAY)
    seen["log", "-"] += 1
for _ in range(10):  # pipelined
    for _ in range(5):
        send("get", TMessageType.CALL)
        send("find", TMessageType.CALL)
    for _ in range(5):
        seen["get", receive()] += 1
        seen["find", receive()] += 1
tr.close()
print(json.dumps({"Rows": [{"Route": m, "Status": s, "N": n} for (m, s), n in seen.items()], "Durations": durations}))
