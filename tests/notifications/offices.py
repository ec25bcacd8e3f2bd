"""A directory in which every office of the stories has a mailbox that says whose it is."""

from collections.abc import Iterable
from datetime import date

from contracts.codes import Agency
from contracts.directory import (
    WHOLE,
    Digest,
    Directory,
    Entries,
    Kind,
    Level,
    Name,
    Place,
    Road,
    Term,
    level_of,
)
from contracts.events import OfficeChanged
from services.routing.agencies.changing import changes, events_of
from tests.notifications.story import NOON

OFFICES = (WHOLE, "pusat", "prov:52", "kabkota:52.04")
DOMAIN = "duty.netral.invalid"


def a_term(place: Place, **changed: object) -> Term:
    """The term of an office that stands for ever, but for what is changed."""
    office = "" if place.office == WHOLE else "." + place.office.replace(":", "-")
    given = {
        "valid_from": date(2000, 1, 1),
        "name": Name(id=str(place), en=str(place)),
        "kind": Kind.KANTOR,
        "level": level_of(place.office) or Level.PUSAT,
        "duty_address": f"{place.agency}{office}@{DOMAIN}".lower(),
        "zone": "WIB" if place.office in (WHOLE, "pusat") else "WITA",
        "channels": (Road.EMAIL, Road.PULL),
        "digest": Digest.NONE,
    }
    return Term.model_validate({**given, **changed})


def entries() -> Entries:
    places = [Place(agency, office) for agency in Agency for office in OFFICES]
    return {place: (a_term(place),) for place in places}


def a_directory(**changed: Iterable[Term]) -> Directory:
    """Every office, but with other terms for those that are named, like `a_directory(**{"BKN/pusat": [term]})`."""
    directory = Directory()
    other = {_place(name): tuple(terms) for name, terms in changed.items()}
    for place, terms in {**entries(), **other}.items():
        directory.hear(place, 1, terms)
    return directory


def told() -> list[OfficeChanged]:
    """The events that tell of this directory."""
    return events_of(Directory(), changes(Directory(), entries()), NOON)


def _place(name: str) -> Place:
    agency, _, office = name.partition("/")
    return Place(Agency(agency), office or WHOLE)
