"""A client on Python's http.client: OpenSSL with sockets of its own. One connection, then one for each request."""
import http.client
import ssl
import sys

context = ssl._create_unverified_context()


def ask(connection, path):
    connection.request("GET", path)
    connection.getresponse().read()


kept = http.client.HTTPSConnection(sys.argv[1], context=context)
for path in ["/hello", "/big", "/none", "/page", "/empty"] * 2:
    ask(kept, path)
for path in ["/hello", "/big", "/fail"]:
    fresh = http.client.HTTPSConnection(sys.argv[1], context=context)
    ask(fresh, path)
    fresh.close()
