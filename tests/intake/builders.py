"""Reports that are valid by default and changed by path."""

import copy

from services.intake.openapi import EXAMPLE_REPORT


def a_report(**changes):
    """A valid report; `incident__known_on="…"` changes a field, `REMOVE` as value takes it away."""
    report = copy.deepcopy(EXAMPLE_REPORT)
    for path, value in changes.items():
        put(report, path.split("__"), value)
    return report


REMOVE = object()


def put(document, path, value):
    for part in path[:-1]:
        document = document[int(part) if part.isdigit() else part]
    last = int(path[-1]) if path[-1].isdigit() else path[-1]
    if value is REMOVE:
        del document[last]
    else:
        document[last] = value
