# A keep-alive server that answers as soon as it has the head of a request, and then reads the body unless it was refused by 417.
import socketserver
import sys

ANSWERS = {
    b"/refused": b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
    b"/expect": b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n",
    b"/blanks": b"HTTP/1.1  201 \t Created\r\nContent-Length: 2\r\n\r\nok",
    b"/unreadable": b"HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nok",
    b"/icy": b"ICY 200 OK\r\n\r\n",
}


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while line := self.rfile.readline():
            length = 0
            while (field := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = field.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            path = line.split()[1]
            self.wfile.write(ANSWERS.get(path, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
            self.rfile.read(0 if path == b"/expect" else length)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
