"""What messages are about that came while the checker looked: a database may know of them, and that is no finding."""

import json

from services.cli.verify.findings import BROKEN
from services.cli.verify.logbook import alike
from services.runtime.reading import Stored


def second_of(stored: Stored) -> set[str]:
    """The case or the report."""
    return {stored.subject.split(".")[1]}


def last_of(stored: Stored) -> set[str]:
    """The ending of a notice."""
    return {stored.subject.split(".")[-1]}


def report_of(stored: Stored) -> set[str]:
    """A report, and the pairs of cases it tells of."""
    try:
        pairs = {pair for pair, *_ in alike(json.loads(stored.body))}
    except BROKEN:
        pairs = set[str]()
    return second_of(stored) | pairs


def notice_of(stored: Stored) -> set[str]:
    """The subject names the ending of a notice, which may be its second."""
    try:
        return {str(json.loads(stored.body)["data"]["notice_id"])}
    except (ValueError, KeyError, TypeError):
        return {stored.subject}
