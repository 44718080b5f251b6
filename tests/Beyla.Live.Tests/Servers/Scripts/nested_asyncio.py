"""nested_asyncio.py PORT BACKEND: nested.py on the streams of asyncio, all in one thread, with a pool of connections to the backend."""
import asyncio
import sys

PORT, BACKEND = int(sys.argv[1]), int(sys.argv[2])
free = []


async def call(path):
    reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", BACKEND)
    writer.write(b"GET %s HTTP/1.1\r\nHost: backend\r\n\r\n" % path.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    body = await reader.readexactly(length)
    free.append((reader, writer))
    return body


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path, _, mode = head.split()[1].decode().partition("?")
            number = path.rpartition("/")[2]
            if mode == "before":
                await asyncio.sleep(int(number) % 7 / 1000)
            if mode == "two":
                await call(f"/out/{number}/1")
                body = await call(f"/out/{number}/2")
            else:
                body = await call(f"/out/{number}")
            if mode == "after":
                await asyncio.sleep(int(number) % 7 / 1000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            if b"connection: close" in head.lower():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=512)
    await server.serve_forever()


asyncio.run(main())
