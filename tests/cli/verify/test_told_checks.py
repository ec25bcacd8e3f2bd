"""The checker knows what each office must hear of a case, what it may hear, and what is not for it."""

from typing import Any

import pytest

from services.cli.verify.told_checks import check_told
from services.routing.core.decide import Judge
from tests.cli.verify.planting import Document, a_log, case_in, copied, told
from tests.cli.verify.test_planted import TO_THE_PPK, with_due


@pytest.fixture
def log(judge: Judge) -> list[Document]:
    """Three steps, of which the last changes nothing that an office may see; a limit was over when the case was opened."""
    return with_due(a_log(judge, "told", (*TO_THE_PPK, ("BKN", "WARN", None))))


def found(log: list[Document]) -> list[str]:
    return [f"{finding.kind} {finding.says}" for finding in check_told(case_in(log))]


def not_told(*news: str) -> list[str]:
    return [f"not-told {one} of p1 was not told" for one in news]


@pytest.mark.parametrize(
    ("office", "what", "news"),
    [
        ("told.BKN.pusat.", ".offered.0", "BKN/pusat: offered 0"),
        ("told.BKN.prov-52.", ".offered.1", "BKN/prov:52: offered 1"),
        ("told.PPK.", ".offered.2", "PPK/kabkota:52.04: offered 2"),
        ("told.KEMENPANRB.", ".stepped.2", "KEMENPANRB/pusat: stepped 2"),
        ("told.BAWASLU.", ".due.p1.2024-10-30.OVERDUE", "BAWASLU/kabkota:52.04: due 2024-10-30 OVERDUE"),
    ],
)
def test_what_began_changed_or_is_due_for_an_office_and_was_not_told_is_named(
    log: list[Document], office: str, what: str, news: str
) -> None:
    rest = [e for e in log if not (e["subject"].startswith(office) and e["subject"].endswith(what))]
    assert found(log) == []
    assert found(rest) == not_told(news)


PPK, PROVINCE, MINISTRY = 3, 4, 6
"""Parts of the person, by their places."""


@pytest.mark.parametrize(
    ("changes", "news"),
    [
        ({("dues", 0, "last_day"): "2026-12-17"}, ["PPK/kabkota:52.04: stepped 3"]),
        ({("parts", PPK, "deadline"): {"count": 1}}, ["PPK/kabkota:52.04: stepped 3"]),
        ({("parts", MINISTRY, "role"): "COPY"}, ["KEMENPANRB/pusat: stepped 3"]),
        ({("parts", MINISTRY, "active"): False}, ["KEMENPANRB/pusat: stepped 3"]),
        ({("parts", PROVINCE, "office"): None}, ["BKN/-: offered 3", "BKN/prov:52: stepped 3"]),
        ({("marks",): ["CRIME"], ("questions",): [{"rule": "x", "question": "?"}]}, []),
    ],
)
def test_an_office_must_hear_of_each_change_that_it_may_see_and_of_no_other(
    log: list[Document], changes: dict[tuple[str | int, ...], Any], news: list[str]
) -> None:
    """Neither the state nor the owner is another; a limit moves so when calendars change."""
    for path, to in changes.items():
        place = told(log, "step.3")["data"]["persons"][0]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = to
    assert found(log) == not_told(*news)


def to_the_police(log: list[Document], word: str, office: str | None) -> Document:
    """What an office was told, told to one that has no part; by a number as that of the last step."""
    entry = next(e for e in copied(log) if e["subject"].startswith("told.") and f".{word}" in e["subject"])
    entry["event"]["data"] |= {"agency": "POLRI", "office": office, "number": 3}
    return entry


@pytest.mark.parametrize("word", ["offered.0", "stepped.2", "due.p1"])
def test_what_is_told_to_an_office_without_a_part_is_named_also_where_the_office_is_not_known(
    log: list[Document], word: str
) -> None:
    lies = [to_the_police(log, word, office) for office in ("pusat", None)]
    says = found([*log, *lies])
    assert len(says) == 2
    assert "told-in-vain POLRI/-: " in says[0]
    assert "told-in-vain POLRI/pusat: " in says[1]


def test_an_office_that_has_a_part_already_is_offered_it_in_vain(log: list[Document]) -> None:
    again = copied(next(e for e in log if e["subject"].startswith("told.BKN.pusat.")))
    again["event"]["data"]["number"] = 2
    assert found([*log, again]) == ["told-in-vain BKN/pusat: offered 2 of p1 was told, which is not theirs"]


def test_of_a_person_whom_a_step_forgets_everybody_must_hear(log: list[Document]) -> None:
    told(log, "step.3")["data"]["persons"] = []
    bodies = ("BAWASLU/kabkota:52.04", "BKN/prov:52", "BKN/pusat", "KEMENDAGRI/pusat", "KEMENPANRB/pusat")
    assert found(log) == not_told(*(f"{body}: stepped 3" for body in (*bodies, "PPK/kabkota:52.04")))


def test_what_was_told_of_records_that_a_damaged_stream_lost_is_not_in_vain(log: list[Document]) -> None:
    lost = (".step.3", ".due.p1.BAWASLU")
    again = copied(next(e for e in log if ".stepped.2" in e["subject"]))
    again["event"]["data"]["number"] = 3
    assert (
        found(
            [again, *(e for e in log if not e["subject"].endswith(lost[0]) and lost[1] not in e["subject"])]
        )
        == []
    )


def test_an_office_is_not_said_to_have_missed_a_case_from_before_cases_had_a_life(
    log: list[Document],
) -> None:
    del told(log, "decided")["data"]["persons"]
    assert found([entry for entry in log if entry["subject"].startswith("cases.")]) == []
