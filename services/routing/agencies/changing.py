"""What a new list of offices changes, and the events that say so; pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from contracts.directory import Directory, Entries, Place, Term
from contracts.events import OfficeChanged, OfficeChangedData
from contracts.ids import NETRAL, derived_id

ADDED, CHANGED = "ADDED", "CHANGED"


class Change(NamedTuple):
    """One office that will not be as it was; `fields` are those that differ, of its newest term or `terms`."""

    place: Place
    what: str
    fields: tuple[str, ...]
    terms: tuple[Term, ...]


def changes(directory: Directory, wanted: Entries) -> list[Change]:
    """The offices that differ from what is wanted, by agency and office. An office that is not named stays."""
    found = []
    for place in sorted(wanted):
        before, after = directory.entries.get(place), wanted[place]
        if before != after:
            found.append(Change(place, CHANGED if before else ADDED, _differing(before or (), after), after))
    return found


def events_of(directory: Directory, found: Iterable[Change], at: datetime) -> list[OfficeChanged]:
    """One event for each change, with the number after the one known."""
    return [_event(change, directory.versions.get(change.place, 0) + 1, at) for change in found]


def _differing(before: tuple[Term, ...], after: tuple[Term, ...]) -> tuple[str, ...]:
    if not before or not after:
        return ()
    if len(before) != len(after):
        return ("terms",)
    names = Term.model_fields
    return tuple(
        name
        for name in names
        if any(getattr(a, name) != getattr(b, name) for a, b in zip(before, after, strict=True))
    )


def _event(change: Change, version: int, at: datetime) -> OfficeChanged:
    place = change.place
    return OfficeChanged(
        id=derived_id(NETRAL, "office", place.agency, place.office, str(version)),
        source="netral/routing",
        subject=str(place),
        time=at,
        data=OfficeChangedData(agency=place.agency, office=place.office, version=version, terms=change.terms),
    )
