"""The checker compares what an office was told with what the record says, in time and word for word."""

import pytest

from services.cli.verify.told_words import check_words
from services.routing.core.decide import Judge
from tests.cli.verify.planting import Document, a_log, case_in, changed, told
from tests.cli.verify.test_planted import with_due


@pytest.fixture
def log(judge: Judge) -> list[Document]:
    """The reporter withdrew, so that for most offices it is over; a limit was over when the case was opened."""
    return with_due(a_log(judge, "words", (("BAWASLU", "WITHDRAWN", None),)))


def found(log: list[Document]) -> list[str]:
    return [f"{finding.kind} {finding.says}" for finding in check_words(case_in(log))]


def test_what_is_over_for_an_office_is_rightly_told_so(log: list[Document]) -> None:
    assert told(log, "stepped.1", 1)["data"]["ended"] == ["p1"]
    assert found(log) == []


def test_that_it_is_over_about_somebody_whom_the_case_does_not_know_ends_no_check(
    log: list[Document],
) -> None:
    changed("stepped.1", 1, "ended", to=["p1", "p9"])(log)
    assert found(log) == []


def test_what_is_told_of_a_limit_has_the_time_of_its_record_if_the_record_is_there(
    log: list[Document],
) -> None:
    told(log, "due.p1", 1)["time"] = "2026-11-25T03:00:00+00:00"
    (says,) = found(log)
    assert says.startswith(
        "told-otherwise BAWASLU/kabkota:52.04: due 2024-10-30 OVERDUE is of 2026-11-25T03:00:00"
    )
    assert found([entry for entry in log if ".due.p1.BAWASLU" not in entry["subject"]]) == []


def test_of_a_case_from_before_cases_had_a_life_no_words_are_compared(log: list[Document]) -> None:
    del told(log, "decided")["data"]["persons"]
    assert found(log) == []
