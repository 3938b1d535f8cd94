"""A client with GnuTLS, used as people do who ask and listen at the same time: one thread is in a read all the time, another one writes. Its
connection was used before it says "ready" and reads a line. It prints an account of what it asks after that."""
import ctypes
import json
import queue
import socket
import sys
import threading

gnutls = ctypes.CDLL("libgnutls.so.30")
gnutls.gnutls_record_recv.restype = gnutls.gnutls_record_send.restype = ctypes.c_ssize_t
CLIENT, CERTIFICATE, AGAIN = 2, 1, -28  # gnutls.h: GNUTLS_CLIENT, GNUTLS_CRD_CERTIFICATE, GNUTLS_E_AGAIN
host, port = sys.argv[1].split(":")

session, credentials = ctypes.c_void_p(), ctypes.c_void_p()
sock = socket.create_connection((host, int(port)))
sock.setblocking(True)
gnutls.gnutls_init(ctypes.byref(session), CLIENT)
gnutls.gnutls_set_default_priority(session)
gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(credentials))
gnutls.gnutls_credentials_set(session, CERTIFICATE, credentials)
gnutls.gnutls_transport_set_int2(session, sock.fileno(), sock.fileno())
if gnutls.gnutls_handshake(session) != 0:
    sys.exit("no handshake")

answers = queue.Queue()


def listen():
    got, buf = b"", ctypes.create_string_buffer(4096)
    while True:
        n = gnutls.gnutls_record_recv(session, buf, len(buf))
        if n == AGAIN:  # it was a ticket
            continue
        if n <= 0:
            return
        got += buf.raw[:n]
        head, end, body = got.partition(b"\r\n\r\n")
        size = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if end and size and len(body) >= size[0]:
            answers.put((head.split(b" ")[1].decode(), size[0]))
            got = body[size[0]:]


threading.Thread(target=listen, daemon=True).start()


def ask():
    request = f"GET /hello HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    if gnutls.gnutls_record_send(session, request, len(request)) != len(request):
        sys.exit("not sent")
    return answers.get(timeout=10)


ask()
print("ready", file=sys.stderr, flush=True)
sys.stdin.readline()
row = {"Method": "GET", "Route": "/hello", "Status": "200", "N": 0, "ResponseBytes": 0}
for _ in range(4):
    status, size = ask()
    if status == "200":
        row["N"] += 1
        row["ResponseBytes"] += size
print(json.dumps({"Rows": [row]}))
