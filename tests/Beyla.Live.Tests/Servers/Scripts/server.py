"""server.py PORT MODE: an HTTP server of Python's standard library that the live tests trace.

MODE: threading (a thread per connection), forking (a process per connection), passing (the parent accepts and hands each socket to a
worker process), http10 (threads, HTTP/1.0: the answer ends with the connection), echo (no HTTP at all: every byte comes back).
"""
import http.client
import http.server
import os
import socket
import socketserver
import struct
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0" if sys.argv[2] == "http10" else "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", length=True):
        self.send_response(status)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        name, _, argument = self.path.partition("?")[0].lstrip("/").partition("/")
        number = int(argument) if argument.isdigit() else 0
        if name == "sleep":
            time.sleep(number / 1000)
            self.answer(200, b"slept\n")
        elif name == "status":
            self.answer(number, b"" if number in (204, 304) else b"status\n", length=number not in (204, 304))
        elif name == "bytes":
            self.answer(200, b"x" * number)
        elif name == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(number):
                self.wfile.write(b"6\r\nchunk\n\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif name == "close":
            self.answer(200, b"until the end\n", length=False)
            self.close_connection = True
        elif name == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif name == "die":
            os._exit(9)
        elif name == "proxy":
            upstream = http.client.HTTPConnection("127.0.0.1", number)
            upstream.request("GET", "/from-python")
            response = upstream.getresponse()
            response.read()
            upstream.close()
            self.answer(response.status, b"proxied\n")
        else:
            self.answer(200, b"hello\n")

    do_HEAD = do_GET

    def do_POST(self):
        if self.path == "/early":  # an answer before the request is complete
            self.answer(413, b"too much\n")
            self.close_connection = True
            return
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        self.answer(200, b"%d\n" % len(body))


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class DualStack:
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.server_name, self.server_port = "", int(sys.argv[1])
        socketserver.TCPServer.server_bind(self)


class Threading(DualStack, http.server.ThreadingHTTPServer):
    pass


class Forking(DualStack, socketserver.ForkingMixIn, http.server.HTTPServer):
    pass


def pass_sockets(port, workers=2):
    """Accepts here, answers in worker processes that get the sockets over unix sockets."""
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
    channels = []
    for _ in range(workers):
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.fork() == 0:
            listener.close()
            while True:
                _, handles, _, _ = socket.recv_fds(theirs, 1, 1)
                connection = socket.socket(fileno=handles[0])
                try:
                    Handler(connection, connection.getpeername(), None)
                except OSError:
                    pass
                connection.close()
        channels.append(mine)
    print("serving", flush=True)
    turn = 0
    while True:
        connection, _ = listener.accept()
        socket.send_fds(channels[turn % workers], [b"x"], [connection.fileno()])
        connection.close()
        turn += 1


if sys.argv[2] == "passing":
    pass_sockets(int(sys.argv[1]))
server = (Forking if sys.argv[2] == "forking" else Threading)(("::", int(sys.argv[1])), Echo if sys.argv[2] == "echo" else Handler)
print("serving", flush=True)
server.serve_forever()
