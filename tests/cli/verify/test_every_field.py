"""Every field of every event of a small true log is changed once, as its contract allows: all but listed ones are noticed.

A new field of an event is noticed here: cover it in the checker, or list it with the reason why nobody is misled by it.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest

from contracts import codes
from services.cli.verify.readable import unread_in
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.cli.verify.planting import OPENED, Document, a_log, copied, sentences, stored
from tests.cli.verify.test_planted import TO_THE_PPK, with_due
from tests.conftest import Broker

Path = tuple[str | int, ...]
Field = tuple[str, str]
"""A type of event and the names that lead to a field of it."""
SAID = "what somebody said is in no other event; the read model keeps it too, word for word"
TOLD = "what a reporter told is in no other event; the vault keeps it too, word for word"
WORDS = "words that later versions may put better; the read model keeps them as they were"
TOGETHER = "told of all cases together: how many rest on a rulebook or calendar that is not there"
CLOCK = "by whose clock it was is in no other event; vault and read model keep it too"
LISTED = (
    (TOGETHER, "case.decided.v1", "data.decision", ("rulebook.digest", "calendar.digest")),
    (TOGETHER, "case.stepped.v1", "data.rulebook", ("digest",)),
    (CLOCK, "case.decided.v1", "data.decision", ("handled_on",)),
    (CLOCK, "case.stepped.v1", "data", ("handled_on",)),
    (WORDS, "case.decided.v1", "data.decision.persons.*.not_assigned.*.because.*", ("fact", "is", "needs.*")),
    (WORDS, "case.decided.v1", "data.decision.persons.*.review.*", ("question",)),
    (SAID, "case.stepped.v1", "data", ("office", "sealed")),
    (
        SAID,
        "case.stepped.v1",
        "data.said",
        ("case", "employer_region", "instead_of", "number_mark", "numbered"),
    ),
    (SAID, "case.stepped.v1", "data.said", ("office", "on", "post", "rule", "step", "to")),
    (TOLD, "report.accepted.v1", "data.facts.acts.*", ("beneficiary", "code")),
    (TOLD, "report.accepted.v1", "data.facts.persons.*", ("post", "post_kind")),
    (
        TOLD,
        "report.accepted.v1",
        "data.facts",
        ("channel", "election_office", "evidence", "occurred_on", "online"),
    ),
    (TOLD, "report.accepted.v1", "data.facts", ("psu", "reported_on", "reporter")),
)
UNNOTICED: set[Field] = {(kind, f"{where}.{name}") for _, kind, where, names in LISTED for name in names}
UNNOTICED |= {(f"report.{kind}.v1", "time") for kind in ("accepted", "linked")}
"""Fields that the log alone does not give away, each with the reason; when a report came in or was linked is CLOCK."""
TRUE: Field = ("nothing", "is a lie")
CODES = [
    code.value
    for _, kind in inspect.getmembers(codes, inspect.isclass)
    if issubclass(kind, StrEnum) and kind is not StrEnum
    for code in kind
]


def a_true_log(judge: Judge, name: str) -> list[Document]:
    """Two steps of agencies, and the limit that was over when the case was opened."""
    return with_due(a_log(judge, name, TO_THE_PPK))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each field that holds no further one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not value or not inner:
        yield path, value
        return
    for name, one in inner:
        yield from leaves(one, (*path, name))


def field_of(event: Document, path: Path) -> Field:
    return event["type"].split(".", 2)[2], ".".join("*" if isinstance(n, int) else n for n in path)


def others(value: Any) -> Iterator[Any]:
    """What a field could hold as well; the most alike first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d(T\S+)?", value):
        later = datetime.fromisoformat(value) + timedelta(days=1)
        yield later.isoformat() if "T" in value else later.date().isoformat()
    yield from (code for code in CODES if code != value)
    yield from (f"{value}x", "00000000-0000-5000-8000-000000000001", 1, [], ["x"], None)


def changed(event: Document, path: Path, value: Any) -> Document:
    """The event with one field changed so that it still is as its contract says, if it can be."""
    for other in (other for other in others(value) if other != value):
        lie = copied(event)
        place: Any = lie
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = other
        if unread_in(json.dumps(lie).encode()) is None:
            return lie
    return lie


def lies(judge: Judge) -> Iterator[tuple[Field, list[Document]]]:
    """Each field once, each in a case of its own."""
    seen = set[Field]()
    for place, entry in enumerate(a_true_log(judge, "fields")):
        for path, _ in leaves(entry["event"]):
            if (field := field_of(entry["event"], path)) in seen:
                continue
            seen.add(field)
            log = a_true_log(judge, f"field {len(seen)}")
            event = log[place]["event"]
            value: Any = event
            for name in path:
                value = value[name]
            log[place]["event"] = changed(event, path, value)
            yield field, log


async def publish(bus: Bus, log: list[Document]) -> None:
    """All at once: nobody reads them before they are there."""
    for start in range(0, len(log), 200):
        part = log[start : start + 200]
        await asyncio.gather(*(bus.js.publish(e["subject"], json.dumps(e["event"]).encode()) for e in part))


@pytest.mark.broker
async def test_every_field_of_an_event_is_covered_or_listed_with_a_reason(
    fresh_nats: Broker, judge: Judge
) -> None:
    planted = [(TRUE, a_true_log(judge, "true")), *lies(judge)]
    async with stored(fresh_nats, []) as bus:
        await publish(
            bus, sorted((e for _, log in planted for e in log), key=lambda e: e["subject"].split(".")[0])
        )
        found = await sentences(bus, fresh_nats.data_dir, OPENED + timedelta(days=4))
    said = "\n".join(says for _, says in found)
    unnoticed = {field for field, log in planted if not any(name in said for name in names(log))}
    assert unnoticed == {TRUE, *UNNOTICED}, (
        sorted(unnoticed - UNNOTICED),
        sorted(UNNOTICED - unnoticed),
    )


def names(log: list[Document]) -> set[str]:
    """The ids of the case and of its report, from the subjects."""
    words = {word for entry in log for word in entry["subject"].split(".")}
    return {word for word in words if len(word) == 36}
