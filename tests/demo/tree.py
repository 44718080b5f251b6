"""Prints the spans of BEYLA_TRACE_PRINTER=json as trees: below each span those that it led to. Reads standard input."""
import collections
import json
import sys

GUESS = "agreement"


def shown(text):
    """Nothing from the network reaches the terminal as it is."""
    return "".join(c if c.isprintable() else "?" for c in text)


def line(span):
    path = span["attributes"].get("url.path", "")
    side = "serves" if span["kind"] == "server" else "calls"
    guess = "  (probably)" if span.get("parentSource") == GUESS else ""
    return f"{shown(span['serviceName'])} {side} {shown(span['name'])} {shown(path)}  {span['durationUSec'] / 1000:.1f} ms{guess}"


def main():
    spans = [span for span in map(json.loads, sys.stdin) if span["type"] == "span"]
    known = {(span["traceId"], span["spanId"]) for span in spans}
    children, roots = collections.defaultdict(list), []
    for span in sorted(spans, key=lambda span: span["start"]):
        above = (span["traceId"], span.get("parentId"))
        (children[above] if above in known else roots).append(span)

    def show(span, before, mark, below):
        print(before + mark + line(span))
        inner = children[span["traceId"], span["spanId"]]
        for i, child in enumerate(inner):
            last = i == len(inner) - 1
            show(child, before + below, "└─ " if last else "├─ ", "   " if last else "│  ")

    for root in roots:
        show(root, "    ", "", "")


main()
