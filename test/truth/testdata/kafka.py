"""A client of Kafka with librdkafka (in C, confluent-kafka of Python): kafka.py PORT TOPIC N plain|tls. It produces a record, consumes it and waits for a
line; then it produces and consumes N more. It prints its account, as wire.Log is written."""
import json, sys
from confluent_kafka import Consumer, Producer, TopicPartition, OFFSET_BEGINNING

port, topic, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
conf = {"bootstrap.servers": "127.0.0.1:" + port}
if sys.argv[4] == "tls":
    conf |= {"security.protocol": "ssl", "enable.ssl.certificate.verification": False}
p = Producer(conf | {"linger.ms": 1})
c = Consumer(conf | {"group.id": "none", "enable.auto.commit": False, "fetch.wait.max.ms": 200})
c.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])

def take(n):
    for _ in range(n):
        m = c.poll(20)
        if m is None or m.error():
            raise SystemExit(f"consume: {m and m.error()}")

def move(n):
    for i in range(n):
        p.produce(topic, b"x" * (1 + i * 7), partition=0)
        if i % 10 == 0:
            p.flush(20)
    if p.flush(20):
        raise SystemExit("records were not taken")
    take(n)

def ready(word):
    print(word, file=sys.stderr, flush=True)
    sys.stdin.readline()

move(1)
ready("ready")
move(n)
c.close()
print(json.dumps({"Rows": [{"Method": "records", "Route": topic, "Status": s, "N": n} for s in ("sent", "consumed")]}))
