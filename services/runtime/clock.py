"""The only reader of the wall clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)
