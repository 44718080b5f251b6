"""usage.py PORT FILE DESCRIPTORS: an HTTP server that holds descriptors of /dev/null, and writes 1 MiB to the disk for GET /write."""
import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/write":
            with open(sys.argv[2], "ab") as file:
                file.write(os.urandom(1 << 20))
                file.flush()
                os.fsync(file.fileno())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


held = [os.open("/dev/null", os.O_RDONLY) for _ in range(int(sys.argv[3]))]
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
