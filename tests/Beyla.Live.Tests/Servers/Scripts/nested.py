"""nested.py PORT BACKEND: a thread for each connection of http.server; each thread has a connection of http.client of its own.

GET /in/ID calls GET /out/ID of the backend and answers. The query says what else: ?before and ?after sleep ID % 7 ms before and after
the call, ?two calls /out/ID/1 and then /out/ID/2. The other nested.* are the same for other runtimes.
POST /in/ID posts its body to /out/ID and answers with what it gets.
PORT and BACKEND may be ADDRESS:PORT. With CLOSE=1 in the environment each call has a connection of its own.
"""
import http.client
import http.server
import os
import sys
import threading
import time



def endpoint(text):
    address, _, port = text.rpartition(":")
    return address or "127.0.0.1", int(port)


HERE, BACKEND = endpoint(sys.argv[1]), endpoint(sys.argv[2])
CLOSE = os.environ.get("CLOSE") == "1"
own = threading.local()


def call(path, body=None):
    if CLOSE or not hasattr(own, "connection"):
        own.connection = http.client.HTTPConnection(*BACKEND)
    own.connection.request("GET" if body is None else "POST", path, body, {"Connection": "close"} if CLOSE else {})
    return own.connection.getresponse().read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        path, _, mode = self.path.partition("?")
        number = path.rpartition("/")[2]
        if mode == "before":
            time.sleep(int(number) % 7 / 1000)
        if mode == "two":
            call(f"/out/{number}/1")
            body = call(f"/out/{number}/2")
        else:
            body = call(f"/out/{number}")
        if mode == "after":
            time.sleep(int(number) % 7 / 1000)
        self.answer(body)

    def do_POST(self):
        self.answer(call("/out/" + self.path.rpartition("/")[2], self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


Server(HERE, Handler).serve_forever()
