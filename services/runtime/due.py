"""What is due by a clock that may have been wrong: a machine may have run days ahead for a moment."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_

FARTHEST = timedelta(days=3)
"""Nothing that is stored is put off for longer: the longest pause between two tries of a webhook is two days."""


def due(instant: Any, now: datetime) -> ColumnElement[bool]:
    """Whether a column's instant has come, or lies so far ahead that only a wrong clock can have written it (ADR 0103)."""
    return or_(instant <= now, instant > now + FARTHEST)
