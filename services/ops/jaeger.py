"""Writes a trace the way Jaeger's query API does, so that other viewers can read it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def as_jaeger(spans: Sequence[Row]) -> dict[str, Any]:
    """One trace; times are microseconds, as Jaeger has them."""
    names = sorted({span["service"] for span in spans})
    processes = {f"p{number}": {"serviceName": name, "tags": []} for number, name in enumerate(names, 1)}
    number_of = {name: f"p{number}" for number, name in enumerate(names, 1)}
    return {
        "traceID": spans[0]["trace_id"],
        "spans": [_span(span, number_of[span["service"]]) for span in spans],
        "processes": processes,
    }


def _span(span: Row, process: str) -> dict[str, Any]:
    parent = [("CHILD_OF", span["trace_id"], span["parent_id"])] if span["parent_id"] else []
    links = [("FOLLOWS_FROM", link["trace"], link["span"]) for link in json.loads(span["links"])]
    tags = {**json.loads(span["attributes"]), "span.kind": span["kind"].lower()}
    if span["error"]:
        tags["error"] = True
    return {
        "traceID": span["trace_id"],
        "spanID": span["span_id"],
        "operationName": span["name"],
        "references": [{"refType": k, "traceID": t, "spanID": s} for k, t, s in (*parent, *links)],
        "startTime": span["started"] // 1000,
        "duration": (span["ended"] - span["started"]) // 1000,
        "tags": [{"key": key, "type": _type(value), "value": value} for key, value in tags.items()],
        "logs": [],
        "processID": process,
    }


def _type(value: object) -> str:
    return {bool: "bool", int: "int64", float: "float64"}.get(type(value), "string")
