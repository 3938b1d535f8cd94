"""A client of Dubbo or of RocketMQ's remoting, by the protocols' descriptions: PORT PLAN ROUNDS [tls]. It prints its account, as wire.Log is written.

The plan is words: dubbo, or rocketmq with json or binary heads; old: a connection is used, waits for a line, and its first call after that is made alone.
"""
import collections
import json
import socket
import ssl
import struct
import sys
import time

port, plan, rounds = int(sys.argv[1]), sys.argv[2].split(), int(sys.argv[3])
s = socket.create_connection(("127.0.0.1", port))
if "tls" in sys.argv[4:]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    s = context.wrap_socket(s)
f = s.makefile("rb")
seen, durations, number = collections.Counter(), [], 0


def text(t):
    b = t.encode()
    return bytes([len(b)]) + b if len(b) < 32 else bytes([0x30 + (len(b) >> 8), len(b) & 255]) + b


class Dubbo:
    statuses = {20: "OK", 60: "SERVICE_NOT_FOUND", 100: "SERVER_THREADPOOL_EXHAUSTED_ERROR"}
    round = ["get", "log", "put", "broken", "busy", "nowhere", "slow"]
    early, slow, one_way = "early", "slow", ("log",)

    def request(self, method):
        flags = 0x82 if method in self.one_way else 0xC2
        body = b"".join(map(text, ["2.0.2", "com.acme.Users", "0.0.0", method, "Ljava/lang/String;", "secret"])) + b"HZ"
        return struct.pack(">HBBQI", 0xDABB, flags, 0, number, len(body)) + body

    def response(self):
        _, _, status, ident, size = struct.unpack(">HBBQI", f.read(16))
        body = f.read(size)
        return ident, "EXCEPTION" if status == 20 and body[0] == 0x90 else self.statuses[status]

    def enter(self, method, status):
        seen["", "com.acme.Users/" + method, status] += 1


class RocketMQ:
    statuses = {0: "SUCCESS", 2: "SYSTEM_BUSY", 17: "TOPIC_NOT_EXIST", 19: "PULL_NOT_FOUND"}
    codes = {105: "GET_ROUTEINFO_BY_TOPIC", 34: "HEART_BEAT", 310: "SEND_MESSAGE_V2", 320: "SEND_BATCH_MESSAGE", 11: "PULL_MESSAGE", 14: "QUERY_CONSUMER_OFFSET",
             15: "UPDATE_CONSUMER_OFFSET", 38: "GET_CONSUMER_LIST_BY_GROUP"}
    round = [(105, "orders"), (105, "nowhere"), (34, ""), (310, "orders"), (310, "busy"), (320, "orders"), (11, "orders"), (11, "empty"), (14, "slow"), (15, "orders")]
    early, slow, one_way = (38, ""), (14, "slow"), ((15, "orders"),)

    def request(self, what):
        code, topic = what
        fields = {"b": topic, "a": "shop"} if code in (310, 320) else {"topic": topic, "consumerGroup": "shop"}
        body = b"x" * 3000 if code == 310 else b""
        if code == 320:
            fields["m"] = "true"
            body = (struct.pack(">I", 200) + bytes(196)) * 5
        flag = 2 if what in self.one_way else 0
        if "binary" in plan:
            kind = 1
            ext = b"".join(struct.pack(">H", len(k)) + k.encode() + struct.pack(">I", len(v)) + v.encode() for k, v in fields.items())
            head = struct.pack(">HBHIIII", code, 2, 401, number, flag, 0, len(ext)) + ext
        else:
            kind = 0
            head = json.dumps({"code": code, "language": "PYTHON", "version": 401, "opaque": number, "flag": flag, "extFields": fields}).encode()
        return struct.pack(">II", 4 + len(head) + len(body), kind << 24 | len(head)) + head + body

    def response(self):
        while True:
            size, = struct.unpack(">I", f.read(4))
            b = f.read(size)
            n = struct.unpack(">I", b[:4])[0] & 0xFFFFFF
            head = b[4:4 + n]
            if b[0] == 0:
                h = json.loads(head)
                code, ident, flag = h["code"], h["opaque"], h["flag"]
            else:
                code, _, _, ident, flag = struct.unpack(">HBHII", head[:13])
            if flag & 1:
                return ident, self.statuses[code]
            seen["NOTIFY_CONSUMER_IDS_CHANGED", "", "-"] += 1

    def enter(self, what, status):
        code, topic = what
        seen[self.codes[code], topic, status] += 1
        moved = {310: ("sent", 1), 320: ("sent", 5)}.get(code)
        if what == (11, "orders"):
            moved = ("consumed", 7)
        if moved:
            seen[moved[0], "", ""] += moved[1]


p = Dubbo() if "dubbo" in plan else RocketMQ()


def send(what):
    global number
    number += 1
    s.sendall(p.request(what))
    if what in p.one_way:
        p.enter(what, "-")
        return None
    return number


def call(what):
    begin = time.monotonic()
    ident = send(what)
    if ident is None:
        return
    got, status = p.response()
    assert got == ident
    p.enter(what, status)
    if what == p.slow:
        durations.append(time.monotonic() - begin)


if "old" in plan:
    for what in p.round:
        call(what)
    time.sleep(0.3)  # what the server sends by itself has come, and is read with the next answer
    call(p.round[0])
    seen.clear()
    durations.clear()
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    call(p.early)
for _ in range(rounds):
    for what in p.round:
        call(what)
    waiting = {}
    for what in p.round * 3:  # all at once, answered in any order
        if what == p.slow:
            continue
        ident = send(what)
        if ident is not None:
            waiting[ident] = what
    while waiting:
        got, status = p.response()
        p.enter(waiting.pop(got), status)
call(p.slow)
if "rocketmq" in plan:
    pushes = seen["HEART_BEAT", "", "SUCCESS"]
    while seen["NOTIFY_CONSUMER_IDS_CHANGED", "", "-"] < pushes:  # each of them brings one
        call(p.slow)
time.sleep(0.2)  # one-way calls are counted by the server when they come
print(json.dumps({"Rows": [{"Method": m, "Route": r, "Status": st, "N": n} for (m, r, st), n in sorted(seen.items(), key=lambda x: (x[0][1], x[0][0], x[0][2]))], "Durations": durations}))
