"""Statements by psycopg2, which speaks the simple protocol: transactions, a cursor at the server, COPY, errors. It prints how long what sleeps took."""
import io
import json
import sys
import time

import psycopg2

c = psycopg2.connect(sys.argv[1])
cur = c.cursor()
for i in range(5):
    cur.execute("SELECT a, b FROM t WHERE a < %s", (i,))
    cur.fetchall()
    cur.execute("INSERT INTO t VALUES (%s, %s)", (i + 2000, "it's -- /* not a comment"))
    c.commit()
    for statement in ("SELECT * FROM missing", "INSERT INTO t VALUES (1, 'duplicate')", "SELEC 1"):
        try:
            cur.execute(statement)
        except psycopg2.Error:
            c.rollback()
named = c.cursor(name="by_parts")
named.itersize = 30
named.execute("SELECT * FROM t WHERE a <= 100")
assert len(list(named)) == 100
named.close()
c.commit()
cur.copy_expert("COPY t FROM STDIN", io.StringIO("".join("%d\tcopied\n" % i for i in range(3000, 23000))))
out = io.StringIO()
cur.copy_expert("COPY (SELECT * FROM t LIMIT 50) TO STDOUT", out)
c.commit()
durations = []
for i in range(5):
    begin = time.monotonic()
    cur.execute("SELECT pg_sleep(0.05)")
    durations.append(time.monotonic() - begin)
c.commit()
c.close()
print(json.dumps({"Durations": durations}))
