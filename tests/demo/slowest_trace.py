"""Prints the id of the trace of the slowest span of BEYLA_TRACE_PRINTER=json, and how many spans it has. Reads standard input."""
import json
import sys

spans = [span for span in map(json.loads, sys.stdin) if span["type"] == "span"]
slowest = max(spans, key=lambda span: span["durationUSec"])["traceId"]
print(slowest, sum(span["traceId"] == slowest for span in spans))
