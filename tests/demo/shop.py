"""A small HTTP service that knows nothing of being watched: a shop that asks a stock service (stock.js), which asks a warehouse
(warehouse.php), which asks a supplier (supplier.pl). shop.py URL [PORT]; prints its port."""
import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stock = sys.argv[1]

    def log_message(self, *arguments):
        pass

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/":
            return self.reply(200, {"items": ["teapot", "kettle", "unicorn"]})
        item = self.path.split("?")[0].rsplit("/", 1)[-1]
        try:
            with urllib.request.urlopen(f"{self.stock}/stock/{item}", timeout=5) as answer:
                self.reply(200, json.load(answer))
        except urllib.error.HTTPError as error:
            error.read()
            self.reply(502, {"stock": error.code})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(201, {"order": 42})


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Shop)
server.daemon_threads = True
print(server.server_address[1], flush=True)
# Ends with whoever started it.
parent = os.getppid()
threading.Thread(target=server.serve_forever, daemon=True).start()
while os.getppid() == parent:
    time.sleep(0.2)
