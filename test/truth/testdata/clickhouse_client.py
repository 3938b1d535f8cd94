# A client of ClickHouse's native protocol: "old" connects, waits for a line, then works on that connection; "all" does a bit of everything, and prints how long what sleeps took.
import datetime
import json
import sys
import time
from clickhouse_driver import Client, errors

options = {"secure": True, "verify": False} if "tls" in sys.argv else {}
c = Client("127.0.0.1", port=int(sys.argv[1]), **options)
if sys.argv[2] == "old":
    c.execute("SELECT 'warm'")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    for i in range(20):
        c.execute("SELECT %d, 'text'" % i)
    sys.exit()

c.execute("CREATE TABLE p (a UInt32, s String, n Nullable(Float64), t DateTime, e Enum8('x' = 1, 'y' = 2), l Array(String)) ENGINE = Memory")
time.sleep(1)  # by then Sonde knows what is spoken, and copies as much as large results take
rows = [(i, "s" * (i % 50), None if i % 3 else 1.5, datetime.datetime(2026, 11, 21), "x", ["a", "b"][:i % 3]) for i in range(5000)]
c.execute("INSERT INTO p VALUES", rows)
assert len(c.execute("SELECT * FROM p")) == 5000
assert len(c.execute("SELECT a, s FROM p WHERE a < 100 ORDER BY a")) == 100
for i in range(10):
    c.execute("SELECT count() FROM p WHERE a > %d" % i)
try:
    c.execute("SELECT nosuch FROM p")
except errors.ServerException:
    pass
durations = []
for i in range(3):
    begin = time.monotonic()
    c.execute("SELECT sleep(0.3)")
    durations.append(time.monotonic() - begin)
c.execute("DROP TABLE p")
c.disconnect()
print(json.dumps({"Durations": durations}))
