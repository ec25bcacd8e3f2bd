"""The independent checker decides cases and steps again: it finds what no law gives, and names the law it could not have."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.cli.verify.planting import OPENED, Document, Lie, a_log, changed, sentences, stored, told
from tests.cli.verify.test_planted import TO_THE_PPK, with_due
from tests.conftest import Broker
from tests.routing.test_calendar_law import load as load_calendar
from tests.routing.test_calendar_law import texts
from tests.routing.test_steps_api import opened, say, seen
from tests.running import in_process

pytestmark = pytest.mark.broker
LATER = OPENED + timedelta(days=4)


def true_log(judge: Judge, name: str = "decided") -> list[Document]:
    """Two steps of agencies, and a count of the limits that moved none."""
    return with_due(a_log(judge, name, (*TO_THE_PPK, ("NETRAL", "RECKON", None))))


def of_person(word: str, *path: Any, to: Any) -> Lie:
    """A field of the only person an event tells of."""
    return changed(word, 0, "persons", 0, *path, to=to)


def moved(log: list[Document]) -> None:
    """A limit, as a clock that was wrong would have counted it."""
    due = told(log, "step.2")["data"]["persons"][0]["dues"][0]
    due["since"] = "2026-11-27"


def closed(log: list[Document]) -> None:
    """A step that ends the matter of a person about whom nothing was said."""
    told(log, "step.1")["data"]["persons"][0] |= {"state": "DONE", "owner": None, "parts": [], "dues": []}


MOVED = {"person": "p1", "agency": "PPK", "office": None, "was": "2026-12-01", "now": "2026-12-02"}
LIES: tuple[tuple[Lie, str], ...] = (
    (of_person("decided", "owner", "agency", to="BKN"), "the opening leaves p1 with other owner than"),
    (of_person("decided", "dues", to=[]), "the opening leaves p1 with other dues"),
    (of_person("step.1", "parts", 0, "agency", to="POLRI"), "step 1 leaves p1 with other parts"),
    (of_person("step.1", "parts", 0, "office", to="prov:52"), "step 1 leaves p1 with other parts"),
    (of_person("step.1", "parts", 0, "role", to="COPY"), "step 1 leaves p1 with other parts"),
    (of_person("step.1", "parts", 0, "active", to=True), "step 1 leaves p1 with other parts"),
    (of_person("step.1", "parts", 0, "deadline", to={"count": 1}), "step 1 leaves p1 with other parts"),
    (of_person("step.2", "state", to="OVERDUE"), "step 2 leaves p1 with other state"),
    (of_person("step.2", "class", to="CRIME"), "step 2 leaves p1 with other class"),
    (of_person("step.2", "marks", to=["CRIME"]), "step 2 leaves p1 with other marks"),
    (of_person("step.2", "ref", to="p2"), "step 2 leaves p1 with other"),
    (moved, "step 2 leaves p1 with other dues"),
    (closed, "step 1 leaves p1 with other state, owner, parts"),
    (changed("step.2", 0, "said", "result", to="NOT_PROVEN"), "step 2 leaves p1 with other state"),
    (changed("step.2", 0, "said", "result", to="NEVER"), "step 2 cannot be decided again (ValidationError)"),
    (of_person("step.3", "state", to="OVERDUE"), "step 3 leaves p1 with other state"),
    (of_person("step.3", "parts", to=[]), "step 3 leaves p1 with other parts"),
    (of_person("step.1", "parts", 0, "basis", to=["UU 1/1998"]), "step 1 leaves p1 with other parts"),
    (of_person("step.2", "questions", to=[{"rule": "x", "question": "Siapa?"}]), "step 2 leaves p1 with other questions"),
    (of_person("step.3", "dues", 0, "last_day", to="2027-01-04"), "step 3 counts other limits again than those it tells"),
    (changed("step.3", 0, "said", "moved", to=[MOVED]), "step 3 counts other limits again than those it tells of"),
)  # fmt: skip


@pytest.mark.parametrize(("lie", "words"), LIES)
async def test_a_step_that_leaves_a_person_otherwise_than_the_law_is_found(
    fresh_nats: Broker, judge: Judge, lie: Lie, words: str
) -> None:
    log = true_log(judge)
    lie(log)
    async with stored(fresh_nats, log) as bus:
        found = await sentences(bus, fresh_nats.data_dir, LATER)
    assert any(kind == "stepped-otherwise" and words in says for kind, says in found), found


async def test_steps_before_and_after_a_change_of_the_calendars_are_found_right(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, case_id, 1)
        assert (await load_calendar(system, texts())).status_code == 200
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        await seen(system, case_id, 2)
        now = system.clock()
    async with stored(fresh_nats, []) as bus:
        assert await sentences(bus, fresh_nats.data_dir, now) == []


async def test_a_true_log_with_steps_has_no_findings(fresh_nats: Broker, judge: Judge) -> None:
    async with stored(fresh_nats, true_log(judge)) as bus:
        assert await sentences(bus, fresh_nats.data_dir, LATER) == []


LAWS: tuple[tuple[tuple[str, ...], dict[str, str], str], ...] = (
    (("rulebook",), {"version": "1998.1", "digest": "00"}, "rulebook skb-netralitas-asn 1998.1 (00), which is not"),
    (("rulebook",), {"digest": "00"}, "(00), whose digest is another there"),
    (("calendar",), {"version": "1998.1", "digest": "00"}, "calendar 1998.1 (00), which is not there"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "other", "words"), LAWS)
async def test_a_law_that_cannot_be_had_is_named_once_and_what_others_gave_is_decided_again(
    fresh_nats: Broker, judge: Judge, path: tuple[str, ...], other: dict[str, str], words: str
) -> None:
    logs = [true_log(judge, name) for name in ("one", "two", "lie")]
    for log in logs[:2]:
        told(log, "decided")["data"]["decision"][path[0]] |= other
    changed("decided", 0, "decision", "persons", 0, "stage", to="NONE")(logs[2])
    async with stored(fresh_nats, [entry for log in logs for entry in log]) as bus:
        found = await sentences(bus, fresh_nats.data_dir, LATER)
    said = [says for kind, says in found if kind == f"unknown-{path[0]}"]
    assert len(said) == 1, found
    assert words in said[0]
    assert "2 cases rest on" in said[0]
    assert "decided-otherwise" in dict(found)


async def test_a_rulebook_of_a_step_that_cannot_be_had_is_named(fresh_nats: Broker, judge: Judge) -> None:
    log = true_log(judge)
    told(log, "step.1")["data"]["rulebook"] |= {"version": "1998.1", "digest": "00"}
    async with stored(fresh_nats, log) as bus:
        found = await sentences(bus, fresh_nats.data_dir, LATER)
    assert [kind for kind, _ in found] == ["unknown-rulebook"], found


@pytest.mark.parametrize("stream", ["RULEBOOKS", "CALENDARS"])
@pytest.mark.parametrize("lie", ["", "{}", "no files", "another text"])
async def test_a_text_of_the_law_that_nobody_can_read_is_named_and_decisions_are_compared_still(
    fresh_nats: Broker, judge: Judge, stream: str, lie: str
) -> None:
    async with in_process(fresh_nats, judge=judge):
        pass
    log = true_log(judge)
    changed("decided", 0, "decision", "persons", 0, "stage", to="NONE")(log)
    async with stored(fresh_nats, log) as bus:
        event = json.loads((await bus.js.get_msg(stream, 1)).data or b"")
        name = stream.lower().removesuffix("s")
        event["data"] |= {"number": 2, **({"files": {}} if lie == "no files" else {})}
        event["data"][name]["digest"] = "sha256:00"
        body = lie if lie in ("", "{}") else json.dumps(event)
        await bus.js.publish(f"{stream.lower()}.2", body.encode())
        found = dict(await sentences(bus, fresh_nats.data_dir, LATER))
    assert f"{stream} 2 holds no rulebook or calendar" in found["law-unreadable"]
    assert "decided-otherwise" in found


async def test_facts_of_a_report_that_cannot_be_read_are_no_silence(fresh_nats: Broker, judge: Judge) -> None:
    log = true_log(judge)
    told(log, "accepted")["data"]["facts"]["persons"] = "x"
    async with stored(fresh_nats, log) as bus:
        found = dict(await sentences(bus, fresh_nats.data_dir, LATER))
    assert "cannot be decided again: the facts of its report" in found["unreadable"]
