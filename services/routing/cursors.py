"""Where a page ended, as a text for the next one: an instant (UTC) and an id."""

import base64
import binascii
from datetime import datetime

Cursor = tuple[datetime, str]


def read_cursor(text: str | None) -> Cursor | None:
    """Raises ValueError for what is none of ours."""
    if text is None:
        return None
    try:
        at, key = base64.urlsafe_b64decode(text).decode().split("|")
    except binascii.Error:
        raise ValueError from None
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError
    return moment, key


def written_cursor(at: datetime, key: str) -> str:
    """The text of a cursor."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{key}".encode()).decode()
