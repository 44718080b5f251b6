"""sender.py PORT: sends what it is told to, on connections of its own.

Each line that comes on PORT is a task in JSON: host and port to connect to; parts, base64, each sent by a call of its own; pause, seconds
between them; lockstep, to read a response of two bytes after each; fastopen, to send the first part with the SYN; md5, a key for
RFC 2385; keep, not to shut the sending side down; greeting, bytes that are read before anything is sent; expect, all bytes after which the
connection is closed.
The response is a line: received, bytes; readable, what FIONREAD said beside what was there; error.
"""
import base64
import fcntl
import json
import select
import socket
import socketserver
import struct
import sys
import termios
import time

MD5SIG, FASTOPEN = 14, 0x20000000


def readable(connection):
    answer = fcntl.ioctl(connection, termios.FIONREAD, b"\0" * 4)
    return struct.unpack("i", answer)[0]


def read_some(connection, result):
    select.select([connection], [], [], 20)
    there = connection.recv(1 << 20, socket.MSG_PEEK)
    said = readable(connection)
    if said < len(there):
        result["readable"].append([said, len(there)])
    data = connection.recv(len(there)) if there else b""
    result["received"] += len(data)
    return len(data) > 0


def run(task):
    family = socket.AF_INET6 if ":" in task["host"] else socket.AF_INET
    parts = [base64.b64decode(part) for part in task["parts"]]
    result = {"received": 0, "readable": [], "error": ""}
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = (task["host"], task["port"])
        try:
            if task.get("md5"):
                # struct tcp_md5sig of linux/tcp.h: address, flags, prefix, length of the key, interface, key.
                address = struct.pack("=H2s4s120s", family, struct.pack("!H", target[1]), socket.inet_aton(target[0]), b"")
                key = task["md5"].encode()
                connection.setsockopt(socket.IPPROTO_TCP, MD5SIG, address + struct.pack("=BBHi80s", 0, 0, len(key), 0, key))
            if task.get("fastopen"):
                connection.settimeout(None)
                connection.sendto(parts.pop(0), FASTOPEN, target)
            else:
                connection.connect(target)
            while result["received"] < task.get("greeting", 0) and read_some(connection, result):
                pass
            for part in parts:
                connection.sendall(part)
                if task.get("lockstep"):
                    result["received"] += len(connection.recv(65536))
                time.sleep(task.get("pause", 0))
            if not task.get("keep"):
                connection.shutdown(socket.SHUT_WR)
            while read_some(connection, result):
                if 0 < task.get("expect", 0) <= result["received"]:
                    break
        except OSError as error:
            result["error"] = str(error)
    return result


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(json.dumps(run(json.loads(line))).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 512


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
