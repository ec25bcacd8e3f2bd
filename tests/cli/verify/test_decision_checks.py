"""The checker decides a case again by the law it names, and says once of each law that it cannot have."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.law import Judges
from services.cli.verify.decision_checks import Deciding
from services.cli.verify.logbook import Logbook
from services.routing.core.decide import Judge
from tests.cli.verify.planting import Document, a_log, case_in, changed, told
from tests.cli.verify.test_planted import TO_THE_PPK


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    book = Logbook(tmp_path / "scratch.db")
    yield book
    book.close()


@pytest.fixture
def again(judge: Judge) -> Deciding:
    rulebook, calendar = judge.reasoner.book.digest, judge.calendar.digest
    return Deciding(Judges(judge, {rulebook: judge.reasoner}, {calendar: judge}), [])


@pytest.fixture
def log(judge: Judge) -> list[Document]:
    return a_log(judge, "decisions", TO_THE_PPK)


def found(again: Deciding, book: Logbook, log: list[Document]) -> list[str]:
    data = told(log, "accepted")["data"]
    row = (data["report_id"], json.dumps(data["facts"]))
    book.db.execute("INSERT INTO reports (report_id, facts) VALUES (?, ?)", row)
    return [f"{finding.kind} {finding.says}" for finding in again.check(case_in(log), book)]


def unknown(again: Deciding) -> list[str]:
    return [f"{finding.kind} {finding.says}" for finding in again.unknown()]


def test_a_true_case_is_decided_again_as_it_was(again: Deciding, book: Logbook, log: list[Document]) -> None:
    assert found(again, book, log) == unknown(again) == []


def test_a_decision_about_a_person_too_many_or_too_few_is_named(
    again: Deciding, book: Logbook, log: list[Document]
) -> None:
    persons = told(log, "decided")["data"]["decision"]["persons"]
    persons[0]["ref"] = "p2"
    says = [one for one in found(again, book, log) if one.startswith("decided-otherwise")]
    assert [one.split(" than ")[0] for one in says] == [
        "decided-otherwise p1 has another route",
        "decided-otherwise p2 has another route",
    ]


@pytest.mark.parametrize("law", ["rulebook", "calendar"])
def test_a_case_that_names_an_unknown_law_often_counts_once_and_is_not_decided_again(
    again: Deciding, book: Logbook, log: list[Document], law: str
) -> None:
    changed("decided", 0, "decision", "persons", 0, "stage", to="NONE")(log)
    lost = {"version": "1998.1", "digest": "00"}
    told(log, "decided")["data"]["decision"][law] |= lost
    if law == "rulebook":
        for step in ("step.1", "step.2"):
            told(log, step)["data"][law] |= lost
    assert found(again, book, log) == []
    (says,) = unknown(again)
    assert says.startswith(f"unknown-{law} 1 cases rest on the {law} ")
    assert says.endswith("1998.1 (00), which is not there, or not readable: that was not decided again")


def test_a_case_of_a_report_that_was_never_accepted_is_left_to_the_finding_that_says_so(
    again: Deciding, book: Logbook, log: list[Document]
) -> None:
    changed("decided", 0, "decision", "persons", 0, "stage", to="NONE")(log)
    assert [*again.check(case_in(log), book)] == []
