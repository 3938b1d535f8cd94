# A client of memcached, memcached_client.py PORT PLAN plain|tls: "old" connects, waits for a line, then works on that connection; "all" does a bit of everything, and prints how long its gets took.
import json, ssl, sys, time
from pymemcache.client.base import Client

inside = None
if sys.argv[3] == "tls":
    inside = ssl._create_unverified_context()
c = Client(("127.0.0.1", int(sys.argv[1])), default_noreply=False, tls_context=inside)
if sys.argv[2] == "old":
    c.version()
    c.get("warm")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    for i in range(50):
        c.set("k%d" % i, "v")
        c.get("none%d" % i)
    c.quit()
    sys.exit()

durations = []


def get(key):
    begin = time.monotonic()
    value = c.get(key)
    durations.append(time.monotonic() - begin)
    return value


for i in range(60):
    c.set("user:%d" % i, "x" * (i * 100))
    get("user:%d" % i)
    get("nothing:%d" % i)
    c.add("user:%d" % i, "y")
    c.replace("user:%d" % i, "1")
    c.incr("user:%d" % i, 2)
    c.decr("none", 1)
    c.touch("user:%d" % i, 60)
    c.set("quiet:%d" % i, "z", noreply=True)
    c.delete("user:%d" % i)
    c.delete("user:%d" % i)
c.set("big", b"b" * 900000)
assert len(get("big")) == 900000
c.flush_all()
c.quit()
print(json.dumps({"Durations": durations}))
