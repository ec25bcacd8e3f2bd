"""Looks for personal data where none may be: streams hold codes, dates and ids only."""

import re

_ADDRESS = re.compile(rb"[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NUMBER = re.compile(rb"(?<![\w-])(?<!\d\.)\d{16,18}(?![\w-])")
"""A NIK has 16 digits, a NIP 18. Digits of an id, a digest or a fraction do not stand alone."""


def personal_in(body: bytes) -> str | None:
    """What kind of personal data a message holds; never the data."""
    if b"@" in body and _ADDRESS.search(body):
        return "an e-mail address"
    if found := _NUMBER.search(body):
        return f"a number of {len(found[0])} digits"
    return None
