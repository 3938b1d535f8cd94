"""A client of what is spoken inside HTTP and TLS: python3 dialects.py PORT ROUNDS; one connection."""
import http.client
import json
import ssl
import sys
import time

port, rounds = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
connection.connect()
time.sleep(2)  # the library of a new process is found by then


def ask(path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        sys.exit(f"{path}: {response.status}")


for i in range(rounds):
    ask("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 3000}], "model": "gpt-p", "stream": True, "stream_options": {"include_usage": True}})
    ask("/graphql", {"query": "query GetCart { cart { id } }", "operationName": "GetCart"})
connection.close()
