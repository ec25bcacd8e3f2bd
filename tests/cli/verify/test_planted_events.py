"""The independent checker finds lies in single events: told otherwise, out of place, decided by nobody, about a person."""

from typing import Any

import pytest

from services.cli.verify.personal import personal_in
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.builders import a_report
from tests.cli.verify.planting import Document, Lie, changed, found_after, kinds, told
from tests.cli.verify.test_planted import true_log
from tests.conftest import Broker
from tests.routing.test_law import load, newer
from tests.running import in_process

NIP = "198001012005011001"


def moved(word: str, old: str, new: str) -> Lie:
    """An event under another subject than its own."""

    def lie(log: list[Document]) -> None:
        entry = next(entry for entry in log if f".{word}" in entry["subject"])
        entry["subject"] = entry["subject"].replace(old, new)

    return lie


def untimed(log: list[Document]) -> None:
    told(log, "step.1")["time"] = "never"


def swapped(log: list[Document]) -> list[Document]:
    """The second step is stored before the first."""
    second = next(entry for entry in log if ".step.2" in entry["subject"])
    place = next(n for n, entry in enumerate(log) if ".step.1" in entry["subject"])
    rest = [entry for entry in log if entry is not second]
    return [*rest[:place], second, *rest[place:]]


def unroutable(log: list[Document]) -> list[Document]:
    """The operator is told of a person about whom somebody must act."""
    decided = told(log, "decided")
    names = ("report_id", "case_id", "ticket")
    data = {**{name: decided["data"][name] for name in names}, "persons": ["p1"], "reason": "x"}
    event = {**decided, "type": "id.netral.case.unroutable.v1", "data": data}
    return [*log, {"subject": f"cases.{data['case_id']}.unroutable", "event": event}]


def of_envelope(word: str, name: str, to: str) -> Lie:
    """What an event says of itself."""

    def lie(log: list[Document]) -> None:
        told(log, word)[name] = to

    return lie


def twice(log: list[Document]) -> None:
    """A step leaves one person in two states."""
    persons = told(log, "step.1")["data"]["persons"]
    persons.append({**persons[0], "state": "ROUTED"})


def owned_by_nobody(**otherwise: Any) -> Lie:
    """The last step leaves the person to nobody."""

    def lie(log: list[Document]) -> None:
        told(log, "step.2")["data"]["persons"][0] |= {"owner": None, **otherwise}

    return lie


NOBODY = "00000000-0000-5000-8000-000000000001"
ASKED = {"rule": "x", "question": "Siapa?"}
LIES: tuple[tuple[str, Lie, str], ...] = (
    ("illegal-step", changed("step.2", 0, "by", to="KEMENPANRB"), "KEMENPANRB may not say it"),
    ("no-owner", owned_by_nobody(parts=[]), "after step 2 p1 (RECOMMENDED) is open and nobody"),
    ("no-owner", owned_by_nobody(state="WITHDRAWN"), "after step 2 p1 (WITHDRAWN) is open and nobody"),
    ("step-order", swapped, "in the order [2, 1]"),
    ("unroutable", unroutable, "about [], the operator was told of ['p1']"),
    (
        "wrong-offer",
        changed("offered.BKN", 0, "assignments", 0, "office", to="prov:52"),
        "BKN was told of p1 at step 0 otherwise",
    ),
    ("wrong-offer", changed("offered.PPK", 0, "assignments", 0, "deadline", to=None), "PPK was told of p1 at step 2"),
    ("wrong-offer", changed("offered.BKN", 0, "class", to="CRIME"), "BKN was told of p1 at step 0"),
    ("wrong-subject", moved("offered.BKN", ".BKN.", ".PPK."), "says that it is cases."),
    ("wrong-subject", moved("offered.PPK", ".p1.2", ".p1"), "says that it is cases."),
    ("wrong-subject", moved("step.2", ".step.2", ".step.3"), ".step.2; it was stored"),
    ("wrong-subject", moved("accepted", "reports.", "reports.x"), "says that it is reports."),
    ("wrong-subject", moved("offered.0", "told.", "told.x"), "says that it is told."),
    ("unreadable", changed("offered.BKN", 0, "case_id", to="x"), "is no event of ours"),
    ("unreadable", changed("decided", 0, "decision", "handled_on", to="never"), "holds what is none of ours"),
    ("unreadable", changed("step.2", 0, "persons", 0, "dues", to=[{"over_at": "x"}]), "holds what is none of ours"),
    ("unreadable", untimed, "is no event of ours"),
    ("decided-otherwise", changed("decided", 0, "decision", "persons", 0, "stage", to="NONE"), "p1 has another route"),
    (
        "decided-otherwise",
        changed("decided", 0, "decision", "persons", 0, "assignments", 0, "office", to="pusat"),
        "when the case is decided again",
    ),
    (
        "decided-otherwise",
        changed("accepted", 0, "facts", "persons", 0, "status", to="KEPALA_DAERAH"),
        "p1 has another route",
    ),
    ("decided-otherwise", changed("decided", 0, "decision", "admissibility", "late", to=True), "is admissible otherwise"),
    ("decided-otherwise", changed("decided", 0, "decision", "persons", 0, "not_assigned", to=[]), "list of who is left out"),
    ("decided-otherwise", changed("decided", 0, "decision", "persons", 0, "review", to=[ASKED]), "list of open questions"),
    ("misnamed-law", changed("decided", 0, "decision", "rulebook", "version", to="1998"), "it skb-netralitas-asn 1998"),
    ("misnamed-law", changed("decided", 0, "decision", "calendar", "version", to="1998.1"), "and calls it 1998.1"),
    ("misnamed-law", changed("step.1", 0, "rulebook", "version", to="1998.1"), "and calls it skb-netralitas-asn 1998.1"),
    ("wrong-offer", changed("offered.BKN", 0, "assignments", 0, "basis", to=["UU 1/1998"]), "BKN was told of p1 at step 0"),
    ("misnamed", changed("decided", 0, "ticket", to="NTR-x"), ".decided names the ticket NTR-x, not NTR-true"),
    ("misnamed", changed("step.2", 0, "region", to="kemendagri:11"), ".step.2 names the region kemendagri:11, not"),
    ("misnamed", changed("offered.PPK", 0, "report_id", to=NOBODY), "names the report_id"),
    ("misnamed", changed("reports.", 0, "ticket", to="NTR-x"), "names the ticket NTR-x, not NTR-true"),
    ("misnamed", changed("due.p1", 0, "ticket", to="NTR-x"), "names the ticket NTR-x, not NTR-true"),
    ("misnamed", changed("offered.0", 0, "ticket", to="NTR-x"), "names the ticket NTR-x, not NTR-true"),
    ("person-twice", twice, "tells of persons twice: ['p1', 'p1']"),
    ("told-otherwise", changed("offered.0", 0, "persons", 0, "state", to="BREACH"), "tells of p1 otherwise than it stands"),
    ("told-otherwise", changed("offered.0", 0, "persons", 0, "owner", "agency", to="BKN"), "tells of p1 otherwise"),
    ("told-otherwise", changed("offered.0", 0, "persons", 0, "assignments", 0, "role", to="COPY"), "tells of p1 otherwise"),
    ("told-otherwise", changed("stepped.1", 0, "ended", to=["p1"]), "stepped 1 says that its part about p1 is over"),
    ("told-otherwise", changed("stepped.1", 0, "omitted", to=3), "stepped 1 leaves out 3 persons"),
    ("told-otherwise", changed("offered.0", 0, "link", to="/v1/agencies/BKN/cases/x"), "leads to /v1/agencies/BKN/cases/x"),
    ("told-otherwise", of_envelope("offered.0", "time", "2026-11-25T03:00:00Z"), "its record of 2026-11-24"),
    ("wrong-envelope", of_envelope("offered.0", "id", NOBODY), f"has the id {NOBODY}, not "),
    ("wrong-envelope", of_envelope("step.1", "subject", NOBODY), f"has the subject {NOBODY}, not "),
    ("wrong-envelope", of_envelope("due.p1", "source", "netral/intake"), "has the source netral/intake, not netral/routing"),
    ("wrong-envelope", of_envelope("decided", "type", "id.netral.case.closed.v1"), "which is not known here"),
    ("unreadable", changed("stepped.1", 0, "persons", 0, "dues", to=None), "is not as its contract says: "),
    ("personal-data", changed("step.", 0, "said", "rule", to="tanya warga@contoh.example"), "an e-mail address"),
    ("personal-data", changed("accepted", 0, "ticket", to=f"NIP {NIP}"), "a number of 18 digits"),
    ("personal-data", changed("stepped.1", 0, "link", to=int(NIP)), "a number of 18 digits"),
)  # fmt: skip


@pytest.mark.broker
@pytest.mark.parametrize(("kind", "lie", "words"), LIES)
async def test_a_lie_in_an_event_is_found_and_named(
    fresh_nats: Broker, judge: Judge, kind: str, lie: Lie, words: str
) -> None:
    found = await found_after(fresh_nats, true_log(judge), lie)
    assert any(kind == of and words in says for of, says in found), found
    assert not any("warga@" in says or NIP in says for of, says in found if of == "personal-data")


@pytest.mark.broker
async def test_decisions_before_and_after_a_change_of_the_rulebook_are_found_right(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        for number, key in enumerate(("before", "after")):
            if number:
                await load(system, newer())
            ticket = (await system.send(a_report(person__name=key), key)).json()["ticket"]
            version = (await system.story(ticket))["decision"]["rulebook"]["version"]
            assert (version == "2027.1.0") == bool(number)
        bus = await Bus.connect(fresh_nats.settings, "operator")
        found = await kinds(bus, fresh_nats.data_dir, system.clock(), patience=5)
        await bus.close()
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "00000000-0000-5000-8000-000000000001",
        '"digest": "1234567890123456abcdef"',
        '"digest": "abc1234567890123456"',
        '"score": 0.8571428571428571',
        '"time": "2026-11-24T03:00:00.123456Z"',
        "NTR-1234-5678-1234-5678",
        '"number": 1234567890123456789',
        '"link": "/v1/agencies/BKN/cases/00000000-0000-5000-8000-000000000001"',
    ],
)
def test_what_events_hold_is_no_personal_data(text: str) -> None:
    assert personal_in(text.encode()) is None


@pytest.mark.parametrize("text", ['"3273010101800001"', '"NIP 198001012005011001."', "warga@contoh.co.id"])
def test_an_address_and_a_number_that_stand_alone_are_personal_data(text: str) -> None:
    assert personal_in(text.encode()) is not None
