"""What the checker says of a mail by itself: when somebody must have been told, what its id is made of, what is no mail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.cli.verify.logbook import Logbook
from services.cli.verify.mail_checks import check_row, id_of

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
CASE = "00000000-0000-5000-8000-000000000001"
OFFICE = ("BKN", "pusat")
ROW: dict[str, Any] = {
    "notice_id": id_of(UUID(CASE), "OFFERED", *OFFICE),
    "case_id": CASE,
    "report_id": "00000000-0000-5000-8000-000000000002",
    "step": "OFFERED",
    "audience": "DESK",
    "agency": OFFICE[0],
    "office": OFFICE[1],
    "reader": "BKN/pusat",
    "place": 1,
    "root": "an id",
    "message_id": "an id",
    "facts": {"ticket": "NTR-X", "region": "kemendagri:52.04", "last_day": "2026-11-30"},
    "state": "SENT",
    "ended_at": (NOW - timedelta(minutes=30)).isoformat(),
    "told": 1,
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    """Of a log without events: the mail is looked at by itself."""
    book = Logbook(tmp_path / "scratch.db")
    yield book
    book.close()


def said(book: Logbook, **changes: Any) -> str:
    return "\n".join(finding.says for finding in check_row(SimpleNamespace(**ROW | changes), book, NOW))


@pytest.mark.parametrize("state", ["SENT", "FAILED", "BOUNCED", "WITHHELD"])
def test_how_a_mail_ended_must_be_told_within_half_an_hour(book: Logbook, state: str) -> None:
    just_now = (NOW - timedelta(minutes=20)).isoformat()
    assert "and nobody was told" in said(book, state=state, told=0)
    assert said(book, state=state, told=0, ended_at=just_now) == said(book, state=state) == ""


@pytest.mark.parametrize(
    "untold", [{"state": "SKIPPED"}, {"state": "SUPPRESSED"}, {"step": "DIGEST"}, {"step": "WEBHOOK"}]
)
def test_of_what_was_left_out_and_of_letters_about_no_single_case_nobody_is_told(
    book: Logbook, untold: dict[str, str]
) -> None:
    assert said(book, told=0, **untold) == ""


def test_the_id_of_a_letter_about_a_step_or_a_limit_is_made_of_that_one(book: Logbook) -> None:
    third = {"step": "STEPPED", "notice_id": id_of(UUID(CASE), "STEPPED", *OFFICE, "3")}
    assert said(book, **third, place=4) == ""
    assert "has another id than a STEPPED" in said(book, **third, place=3)
    assert said(book, **third, place=0) == ""  # of an earlier release, which noted no place
    limit = {"step": "OVERDUE", "place": 1_000_000}
    assert said(book, **limit, notice_id=id_of(UUID(CASE), "OVERDUE", *OFFICE, "2026-11-30")) == ""
    other = id_of(UUID(CASE), "OVERDUE", *OFFICE, "2026-12-01")
    assert "has another id than a OVERDUE" in said(book, **limit, notice_id=other)


@pytest.mark.parametrize(
    "broken", [{"facts": "no JSON"}, {"facts": {}, "step": "OVERDUE"}, {"ended_at": "never"}]
)
def test_a_row_that_nobody_of_ours_wrote_is_named_and_does_not_end_the_check(
    book: Logbook, broken: dict[str, Any]
) -> None:
    assert "holds what is none of ours" in said(book, **broken)
