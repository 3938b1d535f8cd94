"""A client of NATS with libnats, which is written in C: nats_c.py PORT N plain|tls [old]. It prints its account, as wire.Log is written.
With "old" it connects and waits for a line first."""
import collections, ctypes, json, sys, time

port, n, inside = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
is_old = sys.argv[4:] == ["old"]
lib = ctypes.CDLL("libnats.so.3.4")
lib.natsMsg_GetReply.restype = ctypes.c_char_p
lib.natsStatus_GetText.restype = ctypes.c_char_p
for f in ("natsConnection_Publish", "natsConnection_PublishRequest"):
    getattr(lib, f).argtypes = [ctypes.c_void_p] + [ctypes.c_char_p] * (1 + ("Request" in f)) + [ctypes.c_char_p, ctypes.c_int]
lib.natsSubscription_NextMsg.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
done = collections.Counter()
durations = []  # of requests

def do(function, *args):
    status = getattr(lib, function)(*args)
    if status != 0:
        raise SystemExit(f"{function}: {lib.natsStatus_GetText(status).decode()}")

options, c = ctypes.c_void_p(), ctypes.c_void_p()
do("natsOptions_Create", ctypes.byref(options))
do("natsOptions_SetURL", options, b"nats://127.0.0.1:%d" % port)
do("natsOptions_SetPingInterval", options, ctypes.c_int64(3600_000))
if inside == "tls":
    do("natsOptions_SetSecure", options, True)
    do("natsOptions_SkipServerVerification", options, True)
do("natsConnection_Connect", ctypes.byref(c), options)

def subscribe(subject):
    s = ctypes.c_void_p()
    do("natsConnection_SubscribeSync", ctypes.byref(s), c, subject)
    return s

def take(s):
    m = ctypes.c_void_p()
    do("natsSubscription_NextMsg", ctypes.byref(m), s, 10000)
    reply = lib.natsMsg_GetReply(m)
    lib.natsMsg_Destroy(m)
    return reply

items, echo, inbox = subscribe(b"lib.items.*"), subscribe(b"lib.echo"), subscribe(b"_INBOX.lib.*")

def ask(i):
    do("natsConnection_PublishRequest", c, b"lib.echo", b"_INBOX.lib.%d" % i, b"?" * i, i)
    do("natsConnection_Publish", c, take(echo), b"!" * i, i)
    take(inbox)

do("natsConnection_Flush", c)
if is_old:
    ask(0)
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
else:
    done.update({("connect", ""): 1, ("ping", "ok"): 2, ("subscribe", ""): 3})
    time.sleep(1.5)  # until Sonde has said what to copy
for i in range(n):
    do("natsConnection_Publish", c, b"lib.items.%d" % (i % 5), b"x" * (i * 31), i * 31)
for i in range(n):
    take(items)
for i in range(n):
    begin = time.monotonic()
    ask(i + 1)
    durations.append(time.monotonic() - begin)
done.update({("publish", ""): n, ("deliver", ""): 2 * n, ("request", "ok"): n, ("reply", ""): n})
do("natsSubscription_Unsubscribe", items)
do("natsConnection_Flush", c)
# Of a connection that was there before Sonde nobody knows how many pings wait.
done.update({("unsubscribe", ""): 1, ("ping", "" if is_old else "ok"): 1})
lib.natsConnection_Close(c)
print(json.dumps({"Rows": [{"Method": m, "Route": "", "Status": s, "N": k} for (m, s), k in done.items()], "Durations": durations}))
