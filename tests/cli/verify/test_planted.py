"""The independent checker finds each kind of lie in the streams, and nothing in a true log."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.events import CaseDue, event_id
from services.routing.core.decide import Judge
from services.routing.core.telling import told_of_due
from tests.builders import a_report
from tests.cli.verify.planting import (
    OPENED,
    Document,
    Lie,
    a_log,
    as_documents,
    changed,
    copied,
    kinds,
    publish_once_reports_are_read,
    sentences,
    stored,
    told,
    without,
)
from tests.conftest import Broker

pytestmark = pytest.mark.broker
TO_THE_PPK = (
    ("BAWASLU", "STUDY_CONCLUDED", "BREACH"),
    ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
)


def with_due(log: list[Document], *, days: int = 0, **other: Any) -> list[Document]:
    """The event that the first limit of the case is over, as it must be said."""
    decision = told(log, "decided")["data"]
    due = decision["persons"][0]["dues"][0]
    data = {name: decision[name] for name in ("case_id", "ticket", "region")} | {
        "person": "p1",
        "level": "OVERDUE",
    }
    data |= {name: due[name] for name in ("agency", "office", "last_day")} | other
    case_id, about = UUID(data["case_id"]), (data["person"], data["agency"], data["last_day"], data["level"])
    envelope = {"id": event_id(case_id, "due", *about), "source": "netral/routing", "subject": str(case_id)}
    event = CaseDue.model_validate(
        {**envelope, "time": OPENED + timedelta(days=days, minutes=1), "data": data}
    )
    return [*log, *as_documents([event, *told_of_due(event)])]


def true_log(judge: Judge) -> list[Document]:
    """Two steps, and the limit of Bawaslu, which was over before the case opened."""
    return with_due(a_log(judge, "true", TO_THE_PPK))


async def test_a_true_log_has_no_findings(fresh_nats: Broker, judge: Judge) -> None:
    async with stored(fresh_nats, true_log(judge)) as bus:
        assert await kinds(bus, fresh_nats.data_dir) == {}


def _again(word: str) -> Lie:
    return lambda log: [*log, next(entry for entry in copied(log) if f".{word}" in entry["subject"])]


def _renumbered(log: list[Document]) -> None:
    for entry in log:
        if ".step.2" in entry["subject"]:
            entry["subject"] = entry["subject"].replace(".step.2", ".step.3")
            entry["event"]["data"]["number"] = 3


def _in_another_case(log: list[Document]) -> list[Document]:
    entry = next(entry for entry in copied(log) if ".reports." in entry["subject"])
    words = entry["subject"].split(".")
    words[1] = "00000000-0000-5000-8000-000000000001"
    return [*log, {"subject": ".".join(words), "event": entry["event"]}]


def _told_to_another(log: list[Document], word: str) -> list[Document]:
    entry = next(entry for entry in copied(log) if f".{word}" in entry["subject"])
    entry["event"]["data"] |= {"agency": "POLRI", "office": "pusat"}
    return [
        *log,
        {**entry, "subject": ".".join(["told", "POLRI", "pusat", *entry["subject"].split(".")[3:]])},
    ]


LIES: dict[str, tuple[Lie, str]] = {
    "report-in-no-case": (lambda log: without(without(log, "decided"), "reports."), "does not know it"),
    "report-in-two-cases": (_in_another_case, " and "),
    "accepted-twice": (_again("accepted"), "was accepted 2 times"),
    "no-decision": (lambda log: without(log, "decided"), "no decision"),
    "stored-twice": (_again("decided"), ".decided holds 2 messages"),
    "step-gap": (_renumbered, "[1, 3]"),
    "no-owner": (
        changed("step.", 0, "persons", 0, "owner", to=None),
        "after step 1 p1 (BREACH) is open and nobody",
    ),
    "owner-of-closed": (
        changed(
            "step.",
            1,
            "persons",
            0,
            to={
                "ref": "p1",
                "state": "WITHDRAWN",
                "owner": {"agency": "BKN", "office": None},
                "parts": [],
                "dues": [],
            },
        ),
        "BKN owns it",
    ),
    "owner-without-part": (
        changed("step.", 0, "persons", 0, "owner", "agency", to="DKPP"),
        "DKPP owns it without",
    ),
    "illegal-step": (
        changed("step.", 0, "by", to="PPK"),
        "step 1 (PPK said STUDY_CONCLUDED:BREACH): PPK may not",
    ),
    "wrong-state": (
        changed("step.", 1, "persons", 0, "state", to="VERIFIED"),
        "leaves p1 VERIFIED, not RECOMMENDED",
    ),
    "not-offered": (lambda log: without(log, "offered.BAWASLU"), "BAWASLU got a part about p1 at step 0"),
    "offered-twice": (_again("offered.BKN"), "BKN was told of p1 2 times at step 0"),
    "offered-in-vain": (
        changed("offered.BAWASLU", 0, "agency", to="POLRI"),
        "POLRI was told of p1 at step 0",
    ),
    "not-told": (lambda log: without(log, "stepped.1"), "BAWASLU/kabkota:52.04: stepped 1 of p1"),
    "told-in-vain": (
        lambda log: _told_to_another(log, "offered.0"),
        "POLRI/pusat: offered 0 of p1 was told, which is not theirs",
    ),
    "due-missed": (lambda log: without(log, "due."), "was never said"),
    "due-for-nothing": (changed("due.", 0, "last_day", to="2026-12-31"), "no such limit ran"),
    "wrong-limit": (
        changed("decided", 0, "persons", 0, "dues", 0, "last_day", to="2024-11-01"),
        "by another count",
    ),
    "unreadable": (lambda log: [*log, {"subject": "cases.x.step.1", "event": {}}], "CASES "),
}


@pytest.mark.parametrize("kind", LIES)
async def test_a_lie_is_found_and_named(fresh_nats: Broker, judge: Judge, kind: str) -> None:
    lie, words = LIES[kind]
    log = true_log(judge)
    log = lie(log) or log
    async with stored(fresh_nats, log) as bus:
        found = await kinds(bus, fresh_nats.data_dir)
    assert kind in found, found
    assert words in found[kind]


@pytest.mark.parametrize("word", ["stepped.1", "due.p1"])
async def test_what_an_office_without_a_part_is_told_is_found(
    fresh_nats: Broker, judge: Judge, word: str
) -> None:
    log = _told_to_another([e for e in true_log(judge) if e["subject"].startswith("told.")], word)
    async with stored(fresh_nats, [*true_log(judge), log[-1]]) as bus:
        found = await kinds(bus, fresh_nats.data_dir)
    assert "POLRI/pusat" in found["told-in-vain"]


async def test_what_comes_while_it_looks_is_no_finding(fresh_nats: Broker, judge: Judge) -> None:
    """The reports have been read, and nobody handles them; then a whole new case is there."""
    async with stored(fresh_nats, true_log(judge)) as bus:
        publish_once_reports_are_read(bus, with_due(a_log(judge, "newer", TO_THE_PPK)))
        assert await kinds(bus, fresh_nats.data_dir) == {}


async def test_a_report_that_was_never_accepted_is_found(fresh_nats: Broker, judge: Judge) -> None:
    async with stored(fresh_nats, without(true_log(judge), "accepted")) as bus:
        assert "was not accepted for it" in (await kinds(bus, fresh_nats.data_dir))["stray-report"]


async def test_a_case_of_which_only_the_agencies_stream_tells_yet_is_no_finding(
    fresh_nats: Broker, judge: Judge
) -> None:
    """It was decided after the cases had been read."""
    log = [entry for entry in true_log(judge) if entry["subject"].startswith("told.")]
    async with stored(fresh_nats, log) as bus:
        assert await kinds(bus, fresh_nats.data_dir) == {}


async def test_a_reminder_that_was_never_said_is_found(fresh_nats: Broker, judge: Judge) -> None:
    """While its limit still runs; that of Bawaslu was over before the case opened, and nobody was to be reminded."""
    async with stored(fresh_nats, true_log(judge)) as bus:
        found = await sentences(bus, fresh_nats.data_dir, OPENED + timedelta(days=19))
    ((kind, says),) = found
    assert kind == "due-missed"
    assert "the limit of PPK about p1 until 2026-12-" in says
    assert "three quarters of it was never said" in says


async def test_a_limit_said_too_early_is_found(fresh_nats: Broker, judge: Judge) -> None:
    log = a_log(judge, "early", TO_THE_PPK)
    (due,) = told(log, "step.", 1)["data"]["persons"][0]["dues"]
    log = with_due(with_due(log), days=3, agency="PPK", office=due["office"], last_day=due["last_day"])
    async with stored(fresh_nats, log) as bus:
        assert "when it was not due" in (await kinds(bus, fresh_nats.data_dir))["due-at-wrong-time"]


async def test_a_sanction_that_is_owed_after_its_limit_was_said_to_be_over_is_found(
    fresh_nats: Broker, judge: Judge
) -> None:
    log = a_log(judge, "silent", TO_THE_PPK)
    (due,) = told(log, "step.", 1)["data"]["persons"][0]["dues"]
    log = with_due(with_due(log), days=30, agency="PPK", office=due["office"], last_day=due["last_day"])
    async with stored(fresh_nats, log) as bus:
        assert "stays there" in (await kinds(bus, fresh_nats.data_dir))["silence-unsaid"]


async def test_a_silence_that_was_said_and_taken_back_is_no_finding(fresh_nats: Broker, judge: Judge) -> None:
    taken_back = (("NETRAL", "PPK_CONCLUDED", "SILENT"), ("OPERATOR", "VOID", None, {"step": 3}))
    log = a_log(judge, "heard", (*TO_THE_PPK, *taken_back))
    (due,) = told(log, "step.", 3)["data"]["persons"][0]["dues"]
    log = with_due(log, days=30, agency="PPK", office=due["office"], last_day=due["last_day"])
    for word in ("step.3", "step.4"):
        told(log, word)["time"] = (OPENED + timedelta(days=30, minutes=2)).isoformat()
    async with stored(fresh_nats, log) as bus:
        assert "silence-unsaid" not in await kinds(bus, fresh_nats.data_dir)


async def test_a_limit_that_passed_before_its_agency_came_to_owe_a_sanction_is_no_finding(
    fresh_nats: Broker, judge: Judge
) -> None:
    """Who leads a region for a time answers to the ministry, whose first limit runs from the opening on."""
    report = a_report(
        person__status="PJ_KEPALA_DAERAH", acts=[{"person": "p1", "code": "IGNORE_RECOMMENDATION"}]
    )
    verified = (("BAWASLU", "SATGAS_VERIFIED", "INVALID"), ("BAWASLU", "SATGAS_VERIFIED", "VALID"))
    log = a_log(judge, "ministry", (*verified, *TO_THE_PPK), persons=report["persons"], acts=report["acts"])
    due = next(
        due for due in told(log, "step.", 3)["data"]["persons"][0]["dues"] if due["last_day"] < "2026-12"
    )
    log = with_due(log, days=3, **{name: due[name] for name in ("agency", "office", "last_day")})
    async with stored(fresh_nats, log) as bus:
        assert "silence-unsaid" not in await kinds(bus, fresh_nats.data_dir)


async def test_a_file_in_the_wrong_hands_after_a_hand_over_is_found(fresh_nats: Broker, judge: Judge) -> None:
    log = with_due(a_log(judge, "hands", (("OPERATOR", "SUCCEED", None),)))
    step = told(log, "step.")["data"]
    step["said"] |= {"event": "ASSIGN", "to": "POLRI"}
    async with stored(fresh_nats, log) as bus:
        assert "not POLRI" in (await kinds(bus, fresh_nats.data_dir))["wrong-owner"]
