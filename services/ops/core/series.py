"""Reads series as Prometheus writes them, `name{label="value"}`, and what counters grew by. Pure."""

import re
from collections.abc import Mapping

_LABEL = re.compile(r'(\w+)="([^"]*)"')


def labels_of(series: str) -> dict[str, str]:
    return dict(_LABEL.findall(series))


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each counter grew by; one that fell began anew and counts from nothing."""
    return {s: v - before.get(s, 0.0) if v >= before.get(s, 0.0) else v for s, v in after.items()}
