"""The independent checker finds lies about near matches, their answers and links in the streams."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.events import event_id
from contracts.ids import NETRAL, case_id_of, derived_id
from contracts.matches import Answer, MatchAnswered, MatchAnsweredData, Reason, ReportResembles, match_id_of
from services.routing.core.decide import Judge
from tests.cli.verify.planting import (
    OPENED,
    Document,
    Lie,
    a_log,
    as_documents,
    changed,
    copied,
    found_after,
    kinds,
    publish_once_reports_are_read,
    sentences,
    stored,
    told,
    without,
)
from tests.cli.verify.test_planted import with_due
from tests.conftest import Broker

pytestmark = pytest.mark.broker
GOES_ON, LINKED, OTHER = (derived_id(NETRAL, "report", name) for name in ("goes on", "linked", "other"))
NOBODY = "00000000-0000-5000-8000-000000000001"


def true_log(judge: Judge) -> list[Document]:
    """Two cases that were linked, taken apart and linked again after an answer, and a third that nothing happened to."""
    one, two = case_id_of(GOES_ON), case_id_of(LINKED)
    link: dict[str, Any] = {"case": str(one)}
    said = (
        ("OPERATOR", "LINK", None, link),
        ("NETRAL", "LINK", None, {"case": str(case_id_of(OTHER))}),
        ("OPERATOR", "VOID", None, {"step": 2}),
        ("OPERATOR", "VOID", None, {"step": 1}),
        ("OPERATOR", "LINK", None, link),
    )
    logs = [*with_due(a_log(judge, "goes on")), *with_due(a_log(judge, "other"))]
    logs += with_due(a_log(judge, "linked", said))
    resembles = ReportResembles.model_validate(
        {
            "id": event_id(LINKED, "resembles"),
            "source": "netral/intake",
            "subject": str(LINKED),
            "time": OPENED,
            "data": {
                "report_id": LINKED,
                "case_id": two,
                "ticket": "NTR-linked",
                "others": [
                    {
                        "report_id": GOES_ON,
                        "case_id": one,
                        "ticket": "NTR-goes on",
                        "score": 0.9,
                        "reasons": [Reason.SAME_ACT],
                    }
                ],
            },
        }
    )
    return [*logs, *as_documents([resembles, *answers(one, two)])]


def answers(one: Any, two: Any) -> list[MatchAnswered]:
    """Two, one after the other, said of the first of the cases."""
    pair, (first, other) = match_id_of(one, two), sorted((one, two))
    return [
        MatchAnswered(
            id=event_id(pair, "answered", str(number)),
            source="netral/routing",
            subject=str(first),
            time=OPENED + timedelta(days=number),
            data=MatchAnsweredData(match_id=pair, case_id=first, other=other, number=number, answer=answer),
        )
        for number, answer in enumerate((Answer.DIFFERENT, Answer.SAME), 1)
    ]


async def test_true_pairs_answers_and_links_are_no_findings(fresh_nats: Broker, judge: Judge) -> None:
    async with stored(fresh_nats, true_log(judge)) as bus:
        assert await sentences(bus, fresh_nats.data_dir, OPENED + timedelta(days=6)) == []


def other(name: str, to: Any) -> Lie:
    return changed("resembles", 0, "others", 0, name, to=to)


def unasked(log: list[Document]) -> list[Document]:
    return without(log, "resembles")


def renumbered(log: list[Document]) -> None:
    for entry in log:
        if ".match." in entry["subject"] and entry["event"]["data"]["number"] == 2:
            entry["subject"] = entry["subject"].removesuffix("2") + "3"
            entry["event"]["data"]["number"] = 3


def linked(number: int, to: Any) -> Lie:
    """What a step says of where its case leads."""

    def lie(log: list[Document]) -> None:
        steps = [entry["event"]["data"] for entry in log if f".step.{number}" in entry["subject"]]
        steps[0]["link"] = to

    return lie


def to_nobody(log: list[Document]) -> None:
    step = told(log, "step.5")["data"]
    step["said"]["case"], step["link"] = NOBODY, {"to": NOBODY, "meant": NOBODY}


def unlinked(log: list[Document]) -> list[Document]:
    return [entry for entry in log if ".step." not in entry["subject"]]


LIES: tuple[tuple[str, Lie, str], ...] = (
    ("resembles-nobody", other("report_id", NOBODY), "which was never accepted"),
    ("resembles-otherwise", other("case_id", str(case_id_of(OTHER))), "which is NTR-goes on of the case"),
    ("resembles-otherwise", other("ticket", "NTR-other"), "with the ticket NTR-other, which is NTR-goes on"),
    ("resembles-otherwise", changed("resembles", 0, "ticket", to="NTR-other"), "which is NTR-linked of the case"),
    ("resembles-otherwise", changed("resembles", 0, "case_id", to=NOBODY), "which is NTR-linked of the case"),
    ("resembles-nobody", lambda log: without(log, f"{GOES_ON}.accepted"), "which was never accepted"),
    ("resembles-twice", lambda log: [*log, *(e for e in copied(log) if ".resembles" in e["subject"])], "2 times"),
    ("answer-gap", renumbered, "[1, 3], not 1, 2, …"),
    ("answer-gap", lambda log: without(log, "match."), "[2], not 1, 2, …"),
    ("answer-elsewhere", changed("match.", 0, "other", to=str(case_id_of(OTHER))), "is not this case and"),
    ("answer-unasked", unasked, "of which no report told"),
    ("wrong-link", linked(4, {"to": NOBODY, "meant": NOBODY}), "step 4 leaves it linked to"),
    ("wrong-link", linked(5, None), "step 5 leaves it linked to nothing"),
    ("wrong-link", linked(2, {"to": str(case_id_of(OTHER)), "meant": str(case_id_of(OTHER))}), "step 2 leaves"),
    ("same-unlinked", unlinked, "by answer 2, and neither of them was ever linked"),
    ("link-to-nobody", to_nobody, "which has no decision"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "lie", "words"), LIES)
async def test_a_lie_about_a_pair_or_a_link_is_found_and_named(
    fresh_nats: Broker, judge: Judge, kind: str, lie: Lie, words: str
) -> None:
    found = await found_after(fresh_nats, true_log(judge), lie)
    assert any(kind == of and words in says for of, says in found), found


@pytest.mark.parametrize(("days", "kind"), [(6, {"link-astray"}), (5, set[str]())])
async def test_a_link_that_was_not_led_on_is_found_after_some_minutes(
    fresh_nats: Broker, judge: Judge, days: int, kind: set[str]
) -> None:
    """The case that goes on was linked itself, on the fifth day."""
    link = {"case": str(case_id_of(OTHER))}
    said = [("OPERATOR", "ACKNOWLEDGE", None)] * 4
    further = with_due(a_log(judge, "goes on", (*said, ("OPERATOR", "LINK", None, link))))
    log = [entry for entry in true_log(judge) if str(case_id_of(GOES_ON)) not in entry["subject"]]
    log = [*further, *(entry for entry in log if str(GOES_ON) not in entry["subject"])]
    async with stored(fresh_nats, log) as bus:
        found = await kinds(bus, fresh_nats.data_dir, OPENED + timedelta(days=days, minutes=1))
    assert {"link-astray"} & found.keys() == kind, found


async def test_a_pair_that_is_found_and_answered_while_it_looks_is_no_finding(
    fresh_nats: Broker, judge: Judge
) -> None:
    """The reports have been read, and nobody handles them; then a pair of them is found, and answered."""
    log = true_log(judge)
    late = [entry for entry in log if ".resembles" in entry["subject"] or ".match." in entry["subject"]]
    async with stored(fresh_nats, [entry for entry in log if entry not in late]) as bus:
        publish_once_reports_are_read(bus, late)
        assert await kinds(bus, fresh_nats.data_dir, OPENED + timedelta(days=6)) == {}
