"""What was put off by a clock that was wrong: a machine may have run days ahead for a moment."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement

FARTHEST = timedelta(days=3)
"""Nothing that is stored is put off for longer: the longest pause between two tries of a webhook is two days."""


def astray(instant: Any, now: datetime) -> ColumnElement[bool]:
    """Whether a column's instant lies so far ahead that only a wrong clock can have written it (ADR 0103).

    For a look now and then: beside `instant <= now` in one question it would keep that from its index.
    """
    found: ColumnElement[bool] = instant > now + FARTHEST
    return found
