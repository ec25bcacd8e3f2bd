"""Reads the instants that clients send: with a zone, and such that every database and the broker can hold them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def in_utc(moment: datetime) -> datetime:
    """The instant in UTC. Raises ValueError without a zone, and at the ends of time, which UTC cannot spell."""
    if moment.tzinfo is None:
        raise ValueError("has no zone; write 2026-11-24T10:00:00+07:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no instant of our calendar; give one of this century") from None


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A field that holds an instant."""
