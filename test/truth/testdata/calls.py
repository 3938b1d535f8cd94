"""A server and a client with gRPC's core in C++, by its Python package. "server PORT" serves until SIGTERM; "client PORT N" makes N rounds of calls on
one connection, "client PORT N old" on one that was used before it says "ready" and reads a line, the first call alone. The client prints its account
as lines {Method, Route, Status, N, …}, then the durations of the calls that it did not give up, in seconds."""
import json
import os
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

role, port = sys.argv[1:3]
folder = os.environ.get("TRUTH_TLS")  # of cert.pem and key.pem; empty for plain text
service = "grpc.testing.TestService"


def read(name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def serve():
    def empty(request, context):
        time.sleep(0.03)
        return b""

    def unary(request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "none")

    def never(request, context):
        done = threading.Event()
        context.add_callback(done.set)
        done.wait(10)
        return b""

    def stream(request, context):
        for _ in range(5):
            time.sleep(0.02)
            yield b"\x0a\x02\x12\x00"

    def both(requests, context):
        for _ in requests:
            yield b"\x0a\x02\x12\x00"

    server = grpc.server(futures.ThreadPoolExecutor(20))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {
        "EmptyCall": grpc.unary_unary_rpc_method_handler(empty),
        "UnaryCall": grpc.unary_unary_rpc_method_handler(unary),
        "CacheableUnaryCall": grpc.unary_unary_rpc_method_handler(never),
        "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(stream),
        "FullDuplexCall": grpc.stream_stream_rpc_method_handler(both),
    }),))
    address = "127.0.0.1:" + port
    if folder:
        server.add_secure_port(address, grpc.ssl_server_credentials([(read("key.pem"), read("cert.pem"))]))
    else:
        server.add_insecure_port(address)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.pause()


def ask(rounds, is_old):
    target = "127.0.0.1:" + port
    channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(read("cert.pem"))) if folder else grpc.insecure_channel(target)
    rows, durations, lock = {}, [], threading.Lock()

    def path(method):
        return "/" + service + "/" + method

    def count(method, status, begin):
        with lock:
            key = path(method)[1:], status.name
            rows[key] = rows.get(key, 0) + 1
            if status != grpc.StatusCode.CANCELLED:
                durations.append(time.monotonic() - begin)

    def unary(method, body=b""):
        begin = time.monotonic()
        call = channel.unary_unary(path(method)).future(body, timeout=10)
        call.add_done_callback(lambda c: count(method, c.code(), begin))
        return call

    def given_up():
        call = unary("CacheableUnaryCall")
        time.sleep(0.03)
        call.cancel()
        return call

    def stream(method, make):
        begin = time.monotonic()
        call = make()
        for _ in call:
            pass
        count(method, call.code(), begin)

    def streams():
        # StreamingOutputCallRequest{response_parameters: 5 times {size: 2}}
        stream("StreamingOutputCall", lambda: channel.unary_stream(path("StreamingOutputCall"))(b"\x12\x02\x08\x02" * 5, timeout=10))
        stream("FullDuplexCall", lambda: channel.stream_stream(path("FullDuplexCall"))(iter([b""] * 3), timeout=10))

    def wait(calls):
        for c in calls:
            try:
                c.result()
            except (grpc.RpcError, grpc.FutureCancelledError):
                pass

    if is_old:
        wait([unary("EmptyCall")])
        rows.clear()
        durations.clear()
        print("ready", file=sys.stderr, flush=True)
        sys.stdin.readline()
        wait([unary("EmptyCall")])
    for _ in range(rounds):
        threads = [threading.Thread(target=streams) for _ in range(3)]
        for t in threads:
            t.start()
        # SimpleRequest{response_status: {code: 5}}
        wait([c for _ in range(5) for c in (unary("EmptyCall"), unary("UnaryCall", b"\x3a\x02\x08\x05"))])
        if not is_old:
            wait([given_up()])
        for t in threads:
            t.join()
    time.sleep(0.1)
    channel.close()
    for (route, status), n in rows.items():
        print(json.dumps({"Kind": "grpc", "Method": "", "Route": route, "Status": status, "N": n}))
    print(json.dumps({"Kind": "grpc", "Durations": durations}))


serve() if role == "server" else ask(int(sys.argv[3]), sys.argv[4:] == ["old"])
