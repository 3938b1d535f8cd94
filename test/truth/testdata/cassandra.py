"""Uses a Cassandra with the DataStax driver and prints its own account.

cassandra.py <port> <rounds> <plan: words> [<folder of a certificate>]
"""
import json
import ssl
import sys
import time

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.policies import FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import BatchStatement, SimpleStatement

port, rounds, plan = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split()
options = {}
if "v4" in plan:
    options["protocol_version"] = 4
if "v5" in plan:
    options["protocol_version"] = 5  # or what is agreed on: it begins with versions that the server refuses
if len(sys.argv) > 4 and sys.argv[4]:
    options["ssl_context"] = ssl.create_default_context()
    options["ssl_context"].check_hostname, options["ssl_context"].verify_mode = False, ssl.CERT_NONE
profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), retry_policy=FallthroughRetryPolicy(), request_timeout=20)
cluster = Cluster(["127.0.0.1"], port=port, auth_provider=PlainTextAuthProvider("somebody", "right"), execution_profiles={EXEC_PROFILE_DEFAULT: profile},
                  compression=next((c for c in ("lz4",) if c in plan), False), schema_metadata_enabled=False, token_metadata_enabled=False,
                  connect_timeout=20, control_connection_timeout=20, allow_beta_protocol_version=False, **options)
s = cluster.connect()
done, durations = {}, []


def did(operation, status, n=1):
    done[operation, status] = done.get((operation, status), 0) + n


def fails(statement, operation, status):
    try:
        s.execute(statement)
    except Exception:  # the driver has no base of its errors
        did(operation, status)
    else:
        raise SystemExit(f"{statement} did not fail")


def round(i, insert):
    assert len(list(s.execute("SELECT id, name FROM app.users"))) == 3
    assert len(list(s.execute(SimpleStatement("SELECT id, name FROM app.many", fetch_size=100)))) == 200
    assert len(list(s.execute("SELECT id, name FROM app.big"))) == 1
    did("SELECT", "ok", 4)
    s.execute(insert, (b"1", b"\0" * (i * 9973 % 250000)))
    s.execute("INSERT INTO app.users (id, name) VALUES (1, 'secret')")
    did("INSERT", "ok", 2)
    s.execute("TRUNCATE app.users")
    did("TRUNCATE", "ok")
    begin = time.monotonic()
    s.execute("UPDATE app.slow SET name = 'secret' WHERE id = 1")
    durations.append(time.monotonic() - begin)
    did("UPDATE", "ok")
    for code in ("1000", "1001", "1100", "1200", "2100", "2200"):
        fails(f"SELECT id FROM app.e{code} ", "SELECT", "0x" + code)
    b = BatchStatement()
    b.add(SimpleStatement("INSERT INTO app.users (id, name) VALUES (1, 'secret')"))
    b.add(insert, (b"1", b"secret"))
    s.execute(b)
    did("BATCH", "ok")
    # Many under way at once, answered in another order.
    waiting = [s.execute_async(q) for q in ["UPDATE app.slow SET name = 'x' WHERE id = 1"] * 4 + ["SELECT id, name FROM app.users"] * 40]
    for w in waiting:
        w.result()
    did("UPDATE", "ok", 4)
    did("SELECT", "ok", 40)


if "old" in plan:
    prepared = s.prepare("UPDATE app.users SET name = ? WHERE id = ?")
    s.execute(prepared, (b"1", b"2"))
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    for i in range(8):
        s.execute("LIST ROLES OF app.users")
        did("LIST", "ok")
    for i in range(rounds):
        for w in [s.execute_async(prepared, (b"1", b"2")) for _ in range(10)]:
            w.result()
        s.execute("TRUNCATE app.users")
        fails("DELETE FROM app.e2200 WHERE id = 1", "DELETE", "0x2200")
    did("EXECUTE", "ok", rounds * 10)
    did("TRUNCATE", "ok", rounds)
else:
    insert = s.prepare("INSERT INTO app.users (id, name) VALUES (?, ?)")
    did("PREPARE", "ok")
    forgotten = s.prepare("DELETE FROM app.forgotten WHERE id = ?")
    s.execute(forgotten, (b"1",))  # refused, prepared anew, executed
    did("PREPARE", "ok", 2)
    did("DELETE", "0x2500")
    did("DELETE", "ok")
    s.execute("CREATE TABLE app.fresh (id int PRIMARY KEY)")
    did("CREATE", "ok")
    for i in range(rounds):
        round(i, insert)
cluster.shutdown()
print(json.dumps({"Rows": [{"Method": m, "Status": st, "N": n} for (m, st), n in sorted(done.items())], "Durations": durations}))
