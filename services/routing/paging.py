"""The cursors of our lists: instant and key of the last row seen, opaque to who sends them back."""

import base64
import binascii
from datetime import UTC, datetime

Cursor = tuple[datetime, str]


def write_cursor(at: datetime, key: str) -> str:
    """What names a row; `key` tells apart what happened at one instant."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{key}".encode()).decode()


def read_cursor(text: str | None) -> Cursor | None:
    """The row a cursor names, its instant in UTC. Raises ValueError for what is no cursor of ours."""
    if text is None:
        return None
    try:
        at, key = base64.urlsafe_b64decode(text).decode().split("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\0" in key:
            raise ValueError
        return moment.astimezone(UTC), key
    except (binascii.Error, OverflowError):
        raise ValueError from None
