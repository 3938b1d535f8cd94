"""A service of the demo: asyncio streams with HTTP/1.1 by hand, keep-alive, every call on a connection of its own."""
import asyncio

import shop

plan = shop.Plan()


async def read_message(reader):
    """Returns the first line and the body of a message with Content-Length, or None at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lines, length = head.decode("latin-1").split("\r\n"), 0
    for line in lines[1:]:
        if line.lower().startswith("content-length:"):
            length = int(line.split(":")[1])
    return lines[0], await reader.readexactly(length)


async def call(c, star):
    path, status, body = c["path"].replace("*", star), 599, shop.filler(c["bytes"])
    host, port = c["addresses"][0].split(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"{c['method']} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        first = (await reader.readuntil(b"\r\n")).split()
        status = int(first[1])
        await reader.read()  # to the end: the server closes
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        pass
    plan.logged(c, path, status)
    return status


async def answer(line):
    method, path, _ = line.split(" ")
    route, star = plan.match(method, path)
    if route is None:
        return 404, b"no such thing"
    status = route["status"]
    for c in route["calls"]:
        if await call(c, star) >= 500:
            status = 502
            break
    await asyncio.sleep(shop.work(route))
    return shop.outcome(route, status), shop.filler(route["bytes"])


async def serve(reader, writer):
    try:
        while (message := await read_message(reader)) is not None:
            status, body = await answer(message[0])
            writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", plan.port)
    await server.serve_forever()


asyncio.run(main())
