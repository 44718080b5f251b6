"""relay.py PORT NEXT: an HTTP server whose threads ask the one on port NEXT for the same path and hand its response on; 0: it has one."""
import http.client
import http.server
import sys
import threading

PORT, NEXT = (int(argument) for argument in sys.argv[1:3])
own = threading.local()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = b"here"
        if NEXT:
            if not hasattr(own, "next"):
                own.next = http.client.HTTPConnection("127.0.0.1", NEXT, timeout=20)
            own.next.request("GET", self.path)
            body = own.next.getresponse().read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512


Server(("127.0.0.1", PORT), Handler).serve_forever()
