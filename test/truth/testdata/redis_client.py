# A client of Redis: "old" connects, waits for a line, then works on that connection; "all" does a bit of everything.
import sys
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
c.close()
