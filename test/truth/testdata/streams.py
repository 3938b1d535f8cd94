"""The truth server on asyncio streams: HTTP by hand, pipelining included."""
import asyncio
import ssl
import sys


async def read_request(reader, writer):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
    if headers.get("expect") == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        while (await reader.readline()).strip():
            pass
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, version = first.split(" ")
    return method, path, body, version == "HTTP/1.0" or headers.get("connection", "").lower() == "close"


def answer(method, path, body):
    if path == "/hello":
        return 200, b"hello world\n"
    if path.startswith("/items/"):
        return (204, None) if method == "DELETE" else (200, b'{"ok": true}')
    if path == "/echo":
        return 200, body
    if path == "/fail":
        return 500, b"broken"
    if path == "/cached":
        return 304, None
    if path == "/big":
        return 200, b"x" * 300000
    return 404, b"nope"


async def serve(reader, writer):
    try:
        while (request := await read_request(reader, writer)) is not None:
            method, path, body, last = request
            if path == "/chunked":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(5):
                    writer.write(b"3e8\r\n" + b"y" * 1000 + b"\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                status, reply = answer(method, path, body)
                head = f"HTTP/1.1 {status} Whatever\r\n"
                if reply is not None:
                    head += f"Content-Length: {len(reply)}\r\n"
                writer.write(head.encode() + b"\r\n")
                if reply is not None and method != "HEAD":
                    writer.write(reply)
            await writer.drain()
            if last:
                break
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    context = None
    if len(sys.argv) > 2:  # a folder with a certificate: by TLS
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context)
    await server.serve_forever()


asyncio.run(main())
