# A client of Redis: "old" connects, waits for a line, then works on that connection; "all" does a bit of everything, and prints how long what sleeps took.
import json
import sys
import time
import redis

inside = {"ssl": True, "ssl_cert_reqs": "none"} if sys.argv[3] == "tls" else {}
c = redis.Redis(port=int(sys.argv[1]), single_connection_client=True, **inside)
if sys.argv[2] == "old":
    c.ping()
    c.get("warm")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    for i in range(50):
        c.incr("n")
        c.get("none:%d" % i)
    sys.exit()

for i in range(30):
    c.set("user:%d:name" % i, "x" * 100)
    c.get("user:%d:name" % i)
    try:
        c.lpush("user:%d:name" % i, "y")
    except redis.ResponseError:
        pass
c.set("big", "b" * 1000000)
assert len(c.get("big")) == 1000000
p = c.pipeline(transaction=False)
for i in range(700):
    p.rpush("list", i)
p.execute()
c.lrange("list", 0, -1)
c.sort("list", desc=True)
p = c.pipeline(transaction=True)
p.set("a", 1)
p.incr("a")
p.execute()
try:
    c.execute_command("NOSUCHCOMMAND", "a")
except redis.ResponseError:
    pass
c.config_get("max*")
c.client_setname("truth")
c.xadd("s", {"f": 1})
c.xread({"s": "0"})
c.mget(["a", "b", "c"])
durations = []
for i in range(20):
    begin = time.monotonic()
    c.execute_command("DEBUG", "SLEEP", 0.05)
    durations.append(time.monotonic() - begin)
c.close()
print(json.dumps({"Durations": durations}))
