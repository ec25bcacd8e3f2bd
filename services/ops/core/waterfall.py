"""Lays the spans of one trace out as a waterfall: depth, offset and width of each bar. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """One span: `left` and `width` are percent of the trace, `ms` its own duration, `alone` what no child explains."""

    span: Mapping[str, Any]
    depth: int
    left: float
    width: float
    ms: float
    alone_ms: float


def waterfall(spans: Iterable[Mapping[str, Any]]) -> list[Bar]:
    """Parents before children, siblings in the order they began; a span whose parent is missing is a root."""
    found = sorted(spans, key=lambda span: (span["started"], span["span_id"]))
    if not found:
        return []
    known = {span["span_id"] for span in found}
    children: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for span in found:
        children[span["parent_id"] if span["parent_id"] in known else ""].append(span)
    begin = min(span["started"] for span in found)
    whole = max(1, max(span["ended"] for span in found) - begin)

    def below(parent: str, depth: int) -> Iterator[Bar]:
        for span in children[parent]:
            yield _bar(span, depth, begin, whole, children[span["span_id"]])
            if depth < len(found):
                yield from below(span["span_id"], depth + 1)

    return list(below("", 0))


def _bar(
    span: Mapping[str, Any], depth: int, begin: int, whole: int, children: list[Mapping[str, Any]]
) -> Bar:
    length = span["ended"] - span["started"]
    return Bar(
        span=span,
        depth=depth,
        left=round(100 * (span["started"] - begin) / whole, 2),
        width=round(max(0.3, 100 * length / whole), 2),
        ms=round(length / 1e6, 2),
        alone_ms=round((length - _covered(span, children)) / 1e6, 2),
    )


def _covered(span: Mapping[str, Any], children: list[Mapping[str, Any]]) -> int:
    """Nanoseconds of a span during which at least one child ran."""
    covered, until = 0, span["started"]
    for child in children:
        start, end = max(child["started"], until), min(child["ended"], span["ended"])
        if end > start:
            covered, until = covered + end - start, end
    return covered
