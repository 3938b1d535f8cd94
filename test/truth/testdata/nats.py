"""A NATS client that writes the protocol itself: nats.py PORT N plain|tls. It prints its account, as wire.Log is written."""
import collections, json, socket, ssl, sys, time

port, n = int(sys.argv[1]), int(sys.argv[2])
done = collections.Counter()
durations = []  # of messages until both +OK and the message came
s = socket.create_connection(("127.0.0.1", port))
while s.recv(1) != b"\n":  # the greeting
    pass
if sys.argv[3] == "tls":
    s = ssl._create_unverified_context().wrap_socket(s)
f = s.makefile("rb")

def expect(word):
    while True:
        line = f.readline().strip()
        if line == b"PING":
            s.sendall(b"PONG\r\n")
        elif line.startswith(word):
            return line
        else:
            raise SystemExit(f"got {line!r}, want {word!r}")

s.sendall(b'CONNECT {"verbose":true,"headers":true,"no_responders":true}\r\nSUB basket.* 1\r\nSUB _INBOX.raw.* 2\r\n')
for _ in range(3):
    expect(b"+OK")
done.update({("connect", "ok"): 1, ("subscribe", "ok"): 2})
for i in range(n):
    body = b"x" * (i * 7)
    text = b"PUB basket.%d %d\r\n%s\r\n" % (i % 3, len(body), body)
    begin = time.monotonic()
    for at in range(0, len(text), 11 if i % 10 == 0 else 100000):  # sometimes in small pieces
        s.sendall(text[at:at + (11 if i % 10 == 0 else 100000)])
    seen = set()
    while len(seen) < 2:
        line = f.readline().strip()
        if line.startswith(b"MSG"):
            f.read(int(line.split()[-1]) + 2)
        elif line == b"PING":
            s.sendall(b"PONG\r\n")
            continue
        seen.add(line.split()[0])
    durations.append(time.monotonic() - begin)
    done["publish", "ok"] += 1
    done["deliver", ""] += 1
s.sendall(b"PUB nobody _INBOX.raw.1 0\r\n\r\nPING\r\n")
expect(b"+OK")
line = expect(b"HMSG")
f.read(int(line.split()[-1]) + 2)
expect(b"PONG")
done.update([("request", "503"), ("ping", "ok")])
s.sendall(b"UNSUB 1\r\n")
expect(b"+OK")
done["unsubscribe", "ok"] += 1
s.sendall(b"NONSENSE\r\n")
expect(b"-ERR")
done["error", "unknown_protocol_operation"] += 1
print(json.dumps({"Rows": [{"Method": m, "Route": "", "Status": s, "N": k} for (m, s), k in done.items()], "Durations": durations}))
