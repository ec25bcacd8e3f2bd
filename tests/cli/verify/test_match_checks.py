"""The checker follows links from case to case, and accuses no pair that is as it must be."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.verify.due_checks import GRACE
from services.cli.verify.history import case_of
from services.cli.verify.logbook import Fact, Logbook, match_of
from services.cli.verify.match_checks import check_answers, check_led_on, check_links, check_resembling
from tests.cli.verify.planting import OPENED

NOW = OPENED + timedelta(days=1)
LATE, JUST_NOW = NOW - GRACE - timedelta(seconds=1), NOW - GRACE + timedelta(seconds=1)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    book = Logbook(tmp_path / "scratch.db")
    yield book
    book.close()


def write(book: Logbook, case_id: str, kind: str, at: Any = OPENED, **data: Any) -> None:
    row = (case_id, kind, at.isoformat(), json.dumps(data))
    book.db.execute(
        "INSERT INTO events (case_id, seq, kind, at, data) SELECT ?1, count(*) + 1, ?2, ?3, ?4 FROM events",
        row,
    )


def leads(to: str | None, meant: str | None = None) -> dict[str, Any]:
    return {"number": 1, "link": to and {"to": to, "meant": meant or to}}


def resembling(book: Logbook) -> list[str]:
    return [f"{finding.kind} {finding.subject}" for finding in check_resembling(book)]


@pytest.mark.parametrize(
    ("answer", "case_id", "event", "found"),
    [
        ("SAME", "a", "LINK", []),
        ("SAME", "b", "LINK", []),
        ("SAME", "c", "LINK", ["same-unlinked a"]),
        ("SAME", "a", "WARN", ["same-unlinked a"]),
        ("DIFFERENT", "a", "WARN", []),
    ],
)
def test_two_cases_that_are_the_same_need_a_link_of_one_of_them(
    book: Logbook, answer: str, case_id: str, event: str, found: list[str]
) -> None:
    write(book, "a", "match", other="b", number=1, answer=answer)
    write(book, case_id, "step", number=1, said={"event": event})
    assert resembling(book) == found


def test_a_link_leads_to_a_case_that_was_decided(book: Logbook) -> None:
    write(book, "a", "step", **leads("b"))
    write(book, "a", "step", **leads(None))
    write(book, "b", "step", **leads(None))
    assert resembling(book) == ["link-to-nobody a"]
    write(book, "b", "decided")
    assert resembling(book) == []


def test_a_report_may_resemble_two_others_and_each_of_them_once(book: Logbook) -> None:
    for name in ("one", "two", "three"):
        book.db.execute("INSERT INTO reports (report_id, case_id, ticket) VALUES (?1, ?1, ?1)", (name,))
    pair = "INSERT INTO resembles VALUES ('', ?1, ?1, ?1, ?2, ?2, ?2, '')"
    for one, other in (("one", "two"), ("one", "three"), ("three", "two")):
        book.db.execute(pair, (one, other))
    assert resembling(book) == []
    book.db.execute(pair, ("one", "two"))
    assert resembling(book) == ["resembles-twice one"]


def test_a_case_is_no_pair_with_itself() -> None:
    data = {"match_id": match_of("a", "a"), "other": "a", "number": 1}
    found = check_answers(case_of("a", [Fact(1, "match", "", OPENED, data)], []))
    assert [finding.kind for finding in found] == ["answer-elsewhere"]


@pytest.mark.parametrize(
    ("to", "of_meant", "astray"),
    [
        pytest.param("b", [], False, id="the case it means never had a step"),
        pytest.param("c", [], True, id="it leads elsewhere, and the case it means never had a step"),
        pytest.param("b", [(LATE, None)], False, id="the case it means leads nowhere"),
        pytest.param("b", [(LATE, "c")], True, id="the case it means leads on since long"),
        pytest.param("b", [(JUST_NOW, "c")], False, id="the case it means leads on since some minutes"),
        pytest.param("c", [(LATE, "c")], False, id="it was led on"),
        pytest.param("c", [(OPENED, "c"), (LATE, None)], True, id="what it was led on by was taken back"),
        pytest.param("b", [(OPENED, "c"), (LATE, None)], False, id="taken back, and led back"),
    ],
)
def test_a_link_leads_where_the_case_leads_that_it_means(
    book: Logbook, to: str, of_meant: list[tuple[Any, str | None]], astray: bool
) -> None:
    for at, on in of_meant:
        write(book, "b", "step", at, **leads(on))
    write(book, "b", "told", NOW)
    steps = [Fact(n, "step", "", OPENED, leads(*link)) for n, link in enumerate([(None,), (to, "b")])]
    found = [finding.kind for finding in check_led_on(case_of("a", steps, []), book, NOW)]
    assert found == ["link-astray"] * astray
    assert not [*check_led_on(case_of("a", [], []), book, NOW)]


def linked(*steps: tuple[str, str, str | int, dict[str, Any] | None]) -> list[str]:
    """What is found in a case of these steps: by whom, the event, its case or step, and where that leaves the case."""
    facts = [
        Fact(
            n,
            "step",
            "",
            OPENED,
            {"number": n, "by": by, "said": {"event": event, **about(what)}, "link": link},
        )
        for n, (by, event, what, link) in enumerate(steps, 1)
    ]
    return [finding.says for finding in check_links(case_of("a", facts, []))]


def about(what: str | int) -> dict[str, Any]:
    return {"step": what} if isinstance(what, int) else {"case": what}


def test_where_netral_led_a_link_on_it_ends_with_the_link_of_the_operator() -> None:
    to_b, on_to_c = leads("b")["link"], leads("c", "b")["link"]
    before = ("OPERATOR", "LINK", "b", to_b), ("NETRAL", "LINK", "c", on_to_c)
    assert linked(*before, ("OPERATOR", "VOID", 1, None)) == []
    lie = linked(*before, ("OPERATOR", "VOID", 1, leads("c")["link"]))
    assert lie == ["step 3 leaves it linked to c (meant: c), not to nothing"]


def test_of_two_links_of_the_operator_that_stand_the_later_one_leads() -> None:
    to_b, to_c = leads("b")["link"], leads("c")["link"]
    taken_back = ("OPERATOR", "LINK", "b", to_b), ("OPERATOR", "VOID", 1, None)
    again = ("OPERATOR", "LINK", "c", to_c), ("OPERATOR", "VOID", 2, to_c)
    assert linked(*taken_back, *again) == []
