"""An AMQP client with pika: amqp.py PORT N plain|tls all|old. It prints its account, as wire.Log is written. With "old" it has
all it needs open, and waits for a line first."""
import collections, json, ssl, sys, time
import pika

port, n, inside, plan = int(sys.argv[1]), int(sys.argv[2]), None, sys.argv[4]
if sys.argv[3] == "tls":
    inside = pika.SSLOptions(ssl._create_unverified_context())
done = collections.Counter()
durations = []  # of messages until they are confirmed

def finish():
    print(json.dumps({"Rows": [{"Method": m, "Route": "", "Status": s, "N": k} for (m, s), k in done.items()], "Durations": durations}))
    sys.exit()

c = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, ssl_options=inside))
if plan == "old":
    ch = c.channel()
    queue = ch.queue_declare("", exclusive=True).method.queue
    deliveries = ch.consume(queue)
    def rounds(n):
        for _ in range(n):
            ch.basic_publish("", queue, b"hello")
            ch.basic_ack(next(deliveries)[0].delivery_tag)
    rounds(1)
    print("ready", file=sys.stderr, flush=True)
    sys.stdin.readline()
    rounds(n)
    c.close()
    done.update({("publish", ""): n, ("deliver", "ack"): n, ("cancel", "ok"): 1, ("channel.close", "ok"): 1, ("connection.close", "ok"): 1})
    finish()
done.update([("connection.start", "ok"), ("connection.start-ok", "ok"), ("connection.open", "ok")])
ch = c.channel()
ch.queue_declare("pika", auto_delete=True)
ch.confirm_delivery()
done.update([("channel.open", "ok"), ("queue.declare", "ok"), ("confirm.select", "ok")])
def publish(*args, **options):
    begin = time.monotonic()
    try:
        ch.basic_publish(*args, **options)
    finally:
        durations.append(time.monotonic() - begin)
for i in range(n):
    publish("", "pika", b"x" * (i * 37))
    done["publish", "ack"] += 1
try:
    publish("", "nowhere", b"lost", mandatory=True)
except pika.exceptions.UnroutableError:
    done.update([("publish", "ack"), ("return", "312")])

other = c.channel()
other.basic_qos(prefetch_count=10)
done.update([("channel.open", "ok"), ("qos", "ok")])
seen = 0
def take(ch, method, properties, body):
    global seen
    seen += 1
    if seen % 7 == 0:
        ch.basic_nack(method.delivery_tag, requeue=False)
        done["deliver", "nack"] += 1
    else:
        ch.basic_ack(method.delivery_tag)
        done["deliver", "ack"] += 1
    if seen == n - 1:
        ch.stop_consuming()
other.basic_qos(prefetch_count=1)
done["qos", "ok"] += 1
other.basic_consume("pika", take)
done["consume", "ok"] += 1
other.start_consuming()  # until stop_consuming, which cancels, and gives back what was prefetched
done.update([("cancel", "ok"), ("deliver", "reject")])
other.close()
done["channel.close", "ok"] += 1
try:
    ch.exchange_declare("amq.direct", exchange_type="fanout")  # it is another type: 406
except pika.exceptions.ChannelClosedByBroker:
    done["exchange.declare", "406"] += 1
c.close()
done["connection.close", "ok"] += 1
finish()
