"""What was put off by a clock that was wrong: a machine may have run days ahead for a moment."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement

T = TypeVar("T")
FARTHEST = timedelta(days=3)
"""Nothing that is stored is put off for longer: the longest pause between two tries of a webhook is two days."""


def astray(instant: Any, now: datetime) -> ColumnElement[bool]:
    """Whether a column's instant lies so far ahead that only a wrong clock can have written it (ADR 0103).

    For a look now and then: beside `instant <= now` in one question it would keep that from its index.
    """
    found: ColumnElement[bool] = instant > now + FARTHEST
    return found


class Unchanged(Generic[T]):
    """Claims whose leases no right clock can have written: that their workers are dead shows only while one looks on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[T, float] = {}

    def dead(self, claims: Collection[T], at: float) -> list[T]:
        """Those that have been there, at every look, for as long as one may take; `at` is of a clock that never jumps."""
        self._since = {claim: self._since.get(claim, at) for claim in claims}
        return [claim for claim, since in self._since.items() if at - since >= self._seconds]
