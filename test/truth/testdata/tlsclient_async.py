"""A client on asyncio streams: OpenSSL in memory, several connections in turn on one thread."""
import asyncio
import ssl
import sys

context = ssl._create_unverified_context()
host, port = sys.argv[1].split(":")


async def talk(paths):
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    for path in paths:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = [line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")]
        await reader.readexactly(int(size[0]) if size else 0)
    writer.close()


async def main():
    await asyncio.gather(*(talk(["/hello", "/big", "/none", "/page", "/empty"][i % 3:]) for i in range(6)))


asyncio.run(main())
