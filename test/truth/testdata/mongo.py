"""What applications do, with pymongo: mongo.py PORT N. It prints its account, as wire.Log is written."""
import collections, json, sys
import pymongo

port, n = int(sys.argv[1]), int(sys.argv[2])
done = collections.Counter()
c = pymongo.MongoClient("127.0.0.1", port, directConnection=True)
app = c.app
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
    app.get_collection("log", write_concern=pymongo.WriteConcern(w=0)).insert_one({"unacknowledged": i})
    done.update([("insert", "ok"), ("find", "ok"), ("getMore", "ok"), ("insert", "11000"), ("collStats", "26"), ("insert", "")])
c.close()
print(json.dumps({"Rows": [{"Method": m, "Route": "", "Status": s, "N": k} for (m, s), k in done.items()] + [{"Method": "rows", "N": 31 * n}]}))
