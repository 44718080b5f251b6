"""Exits with 0 if the dashboard has metrics of a service and so many spans: RESOURCES SPANS SERVICE COUNT, two answers of its query API."""
import json
import sys

resources, spans, service, count = sys.argv[1:]
has_metrics = any(one["name"] == service and one["hasMetrics"] for one in json.load(open(resources)))
of_trace = json.load(open(spans))["totalCount"]
sys.exit(0 if has_metrics and of_trace == int(count) else 1)
