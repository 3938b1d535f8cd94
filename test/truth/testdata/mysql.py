"""Statements by PyMySQL, which is written in Python: rows, errors, several results, a file of the client; how long what sleeps took."""
import ssl
import sys
import tempfile
import time

import pymysql
from pymysql.constants import CLIENT

inside = {"ssl": ssl._create_unverified_context()} if sys.argv[2] == "tls" else {}
c = pymysql.connect(host="127.0.0.1", port=int(sys.argv[1]), user="python", database="shop", local_infile=True, client_flag=CLIENT.MULTI_STATEMENTS, **inside)
cur = c.cursor()
returned = affected = 0


def run(statement, *values):
    """Adds up what the server says of each result: rows of those that have columns, else those it changed."""
    global returned, affected
    (cur.executemany if values and isinstance(values[0], list) else cur.execute)(statement, *values)
    while True:
        if cur.description:
            returned += cur.rowcount
        else:
            affected += cur.rowcount
        if not cur.nextset():
            return


for i in range(5):
    run("SELECT a, b FROM t WHERE a < %s", (i,))
    run("INSERT INTO t VALUES (%s, %s)", (i + 2000, "it's -- /* not a comment"))
    c.commit()
    for statement in ("SELECT * FROM missing", "INSERT INTO t VALUES (1, 'duplicate')", "SELEC 1"):
        try:
            run(statement)
        except pymysql.Error as e:
            print(statement.split()[0] if statement[5] != " " else "other", e.args[0])
    c.rollback()
run("INSERT INTO t VALUES (%s, %s)", [(i, "many") for i in range(3000, 3200)])
run("CALL p()")
run("SELECT 1; SELECT 2; DO 3")
for i in range(5):
    begin = time.monotonic()
    run("SELECT SLEEP(0.05)")
    print("TOOK", time.monotonic() - begin)
with tempfile.NamedTemporaryFile("w", dir="/tmp") as f:
    for i in range(5000, 25000):
        f.write("%d\tloaded\n" % i)
    f.flush()
    run("LOAD DATA LOCAL INFILE '%s' INTO TABLE t" % f.name)
c.ping()
print("PING -")  # the server does not log it
c.select_db("shop")
c.commit()
print("ROWS", returned, affected)
c.close()
