"""instrumented.py PORT RECEIVER: an HTTP server that tells of its own requests by OTLP over HTTP, in JSON, to 127.0.0.1:RECEIVER.

GET /send/traces sends a span for each request so far, GET /send/metrics their number; both before they are answered. Others are noted.
"""
import http.client
import http.server
import json
import os
import sys
import time

PORT, RECEIVER = (int(argument) for argument in sys.argv[1:3])
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "own"}}]}
requests = []


def traces():
    spans = [{"traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": "GET", "kind": 2,
              "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 1000)} for at in requests]
    return {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"scope": {"name": "own"}, "spans": spans}]}]}


def metrics():
    point = {"startTimeUnixNano": str(requests[0]), "timeUnixNano": str(time.time_ns()), "asInt": str(len(requests))}
    metric = {"name": "own.requests", "sum": {"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": True}}
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"scope": {"name": "own"}, "metrics": [metric]}]}]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        status = 200
        if self.path.startswith("/send/"):
            receiver = http.client.HTTPConnection("127.0.0.1", RECEIVER, timeout=20)
            what = self.path.rpartition("/")[2]
            receiver.request("POST", "/v1/" + what, json.dumps(traces() if what == "traces" else metrics()),
                             {"Content-Type": "application/json"})
            response = receiver.getresponse()
            response.read()
            status = response.status
            receiver.close()
        else:
            requests.append(time.time_ns())
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512


Server(("127.0.0.1", PORT), Handler).serve_forever()
