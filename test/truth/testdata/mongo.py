"""What applications do, with pymongo: mongo.py PORT N [old] [tls]. It prints its account, as wire.Log is written."""
import collections, json, sys, time
import pymongo

port, n = int(sys.argv[1]), int(sys.argv[2])
done = collections.Counter()
options = {"tls": True, "tlsAllowInvalidCertificates": True} if "tls" in sys.argv else {}
c = pymongo.MongoClient("127.0.0.1", port, directConnection=True, heartbeatFrequencyMS=600000, **options)
app = c.app
durations = []
if "old" in sys.argv:
    c.admin.command("ping")
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    c.admin.command("ping")
for i in range(n):
    app.users.insert_one({"secret": "x" * (i * 100)})
    assert len(list(app.users.find({"name": "secret"}))) == 31
    try:
        app.broken.insert_one({})
        raise SystemExit("no error")
    except pymongo.errors.DuplicateKeyError:
        pass
    try:
        app.command("collStats", "broken")
        raise SystemExit("no error")
    except pymongo.errors.OperationFailure:
        pass
    begin = time.monotonic()
    app.command("count", "slow")
    durations.append(time.monotonic() - begin)
    app.get_collection("log", write_concern=pymongo.WriteConcern(w=0)).insert_one({"unacknowledged": i})
    done.update([("insert", "ok"), ("find", "ok"), ("getMore", "ok"), ("insert", "11000"), ("collStats", "26"), ("count", "ok"), ("insert", "")])
c.close()
print(json.dumps({"Rows": [{"Method": m, "Route": "", "Status": s, "N": k} for (m, s), k in done.items()] + [{"Method": "rows", "N": 31 * n}], "Durations": durations}))
