"""A client on asyncio streams: OpenSSL in memory, several connections in turn on one thread; or, told "old", one that was used before it
says "ready" and reads a line. It prints an account of what it asks after that."""
import asyncio
import json
import ssl
import sys

context = ssl._create_unverified_context()
host, port = sys.argv[1].split(":")


async def ask(reader, writer, path):
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    size = [line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")]
    return head.split(" ")[1], len(await reader.readexactly(int(size[0]) if size else 0))


async def talk(paths):
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    for path in paths:
        await ask(reader, writer, path)
    writer.close()


async def old():
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    await ask(reader, writer, "/hello")
    print("ready", file=sys.stderr, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    row = {"Method": "GET", "Route": "/hello", "Status": "200", "N": 0, "ResponseBytes": 0}
    for _ in range(4):
        status, size = await ask(reader, writer, "/hello")
        if status == "200":
            row["N"] += 1
            row["ResponseBytes"] += size
    print(json.dumps({"Rows": [row]}))
    writer.close()


async def main():
    await asyncio.gather(*(talk(["/hello", "/big", "/none", "/page", "/empty"][i % 3:]) for i in range(6)))


asyncio.run(old() if sys.argv[2:] == ["old"] else main())
