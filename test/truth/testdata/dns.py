# A client of DNS on bare sockets: python3 dns.py PORT PLAN [tls], inside TLS over TCP alone. It writes its own account: one JSON row for each kind of look-up,
# with how long the slow ones took.
import collections, json, random, socket, ssl, struct, sys, time

TYPES = {"A": 1, "AAAA": 28, "TXT": 16}
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
rows = collections.Counter()
took = collections.defaultdict(list)


def query(name, kind):
    ident = random.randrange(65536)
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
    return ident, struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", TYPES[kind], 1)


class Asker:
    """Asks on one socket; answers may come in any order."""

    def __init__(self):
        self.waiting = {}

    def ask(self, name, kind):
        ident, b = query(name, kind)
        while ident in self.waiting:
            ident, b = query(name, kind)
        self.waiting[ident] = (kind, name, time.monotonic())
        return b

    def answer(self, b):
        ident, flags = struct.unpack(">HH", b[:4])
        kind, name, begin = self.waiting.pop(ident)
        rows[kind, name, CODES[flags & 15]] += 1
        if name == "slow.test":
            took[kind, name, CODES[flags & 15]].append(time.monotonic() - begin)


def over_udp(a, send, receive, questions):
    for q in questions:
        send(a.ask(*q))
    while a.waiting:
        a.answer(receive())


def over_tcp(a, s, questions, pieces=False):
    b = b""
    for q in questions:
        m = a.ask(*q)
        b += struct.pack(">H", len(m)) + m
    if pieces:
        for i in range(0, len(b), 7):
            s.sendall(b[i : i + 7])
    else:
        s.sendall(b)
    got = b""
    while a.waiting:
        got += s.recv(65536)
        while len(got) >= 2 and len(got) >= 2 + struct.unpack(">H", got[:2])[0]:
            n = struct.unpack(">H", got[:2])[0]
            a.answer(got[2 : 2 + n])
            got = got[2 + n :]


port, plan = int(sys.argv[1]), sys.argv[2]
addr = ("127.0.0.1", port)
questions = [("ok.test", "A"), ("ok.test", "AAAA"), ("slow.test", "A"), ("missing.test", "A"), ("servfail.test", "A"), ("refused.test", "A")]

connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connected.connect(addr)
free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
stream = socket.create_connection(addr)
stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
inside = "tls" in sys.argv
if inside:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = context.wrap_socket(stream)
ca, fa, sa = Asker(), Asker(), Asker()

if plan == "old":  # the sockets are used before Sonde is there
    if not inside:
        over_udp(ca, connected.send, lambda: connected.recv(4096), [("early.test", "A")])
        over_udp(fa, lambda b: free.sendto(b, addr), lambda: free.recvfrom(4096)[0], [("early.test", "A")])
    over_tcp(sa, stream, [("early.test", "A")])
    rows.clear()
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    if inside:  # alone: what is missed at the start is to be seen
        over_tcp(sa, stream, [("early.test", "A")])

for i in range(5):
    if inside:
        over_tcp(sa, stream, questions)
        over_tcp(sa, stream, questions[:2], pieces=True)
        continue
    over_udp(ca, connected.send, lambda: connected.recv(4096), questions)  # several in flight
    for q in questions:  # one by one
        over_udp(fa, lambda b: free.sendto(b, addr), lambda: free.recvfrom(4096)[0], [q])
    over_tcp(sa, stream, questions)  # pipelined in one write
    over_tcp(sa, stream, questions[:2], pieces=True)
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # as resolvers do: a socket for each
    over_udp(Asker(), lambda b: own.sendto(b, addr), lambda: own.recvfrom(4096)[0], [("own%d.test" % i, "A")])
    own.close()

for (kind, name, code), n in sorted(rows.items()):
    print(json.dumps({"Method": kind, "Route": name, "Status": code, "N": n, "Durations": took[kind, name, code]}))
