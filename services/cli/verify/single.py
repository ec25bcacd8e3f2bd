"""What a message shows by itself: personal data, another place than its own, what its contract refuses, a wrong envelope."""

import json
from typing import Any

from services.cli.verify.envelopes import odd_in
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.personal import personal_in
from services.cli.verify.readable import unread_in
from services.cli.verify.subjects import own_subject
from services.runtime.reading import Stored


def looked_at(stream: str, stored: Stored) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The event, None where it is none of ours, and what is wrong with it."""
    place = f"{stream} {stored.seq} ({stored.subject})"
    found = []
    if what := personal_in(stored.body):
        found.append(Finding("personal-data", "", f"{place} holds {what}"))
    try:
        event: dict[str, Any] = json.loads(stored.body)
        own = own_subject(event)
        if own not in (None, stored.subject):
            says = f"{place} says that it is {own}; it was stored under another subject than its own"
            found.append(Finding("wrong-subject", "", says))
        if where := unread_in(stored.body):
            found.append(Finding("unreadable", "", f"{place} is not as its contract says: {where}"))
        found += [Finding("wrong-envelope", "", f"{place} {says}") for says in odd_in(event)]
    except BROKEN:
        return None, [*found, none_of_ours(stream, stored)]
    return event, found


def none_of_ours(stream: str, stored: Stored) -> Finding:
    return Finding("unreadable", "", f"{stream} {stored.seq} ({stored.subject}) is no event of ours")
