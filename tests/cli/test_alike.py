"""A case of 56 persons of four kinds reads as one story: what is the same of many is said once."""

from datetime import date
from typing import Any

from contracts.door import read_report
from contracts.facts import facts_of
from services.cli.alike import entries_alike, in_words, persons_alike
from services.cli.story import story
from tests.cli.test_story import document
from tests.packaged import packaged_judge

KINDS: tuple[dict[str, Any], ...] = (
    {"status": "PNS", "post": "GURU", "post_kind": "FUNGSIONAL"},
    {"status": "PPPK", "post": "GURU", "post_kind": "FUNGSIONAL"},
    {"status": "KEPALA_DESA"},
    {"status": "PNS", "post": "CAMAT", "post_kind": "STRUKTURAL"},
)


def fifty_six(report: dict[str, Any]) -> dict[str, Any]:
    """The contract's example with 56 persons, of four kinds in turn."""
    employer = report["persons"][0]["employer"]
    report["persons"] = [
        {"ref": f"a{n}", "employer": employer, **KINDS[n * len(KINDS) // 56]} for n in range(56)
    ]
    act = report["acts"][0]
    report["acts"] = [{**act, "person": f"a{n}"} for n in range(56)]
    return report


def test_fifty_six_persons_of_four_kinds_are_one_story(report: dict[str, Any]) -> None:
    told = document(fifty_six(report))
    told["timeline"] = [
        {"at": "2024-10-31T02:00:01Z", "what": f"p{n} offered, to act", "who": "BAWASLU", "why": "R01"}
        for n in range(1, 57)
    ]
    told["persons"] = [
        {"ref": f"p{n}", "state": "ROUTED", "label": {"id": "diteruskan"}, "owner": None, "dues": []}
        for n in range(1, 57)
    ]
    lines = list(story(told))
    assert len([line for line in lines if line.startswith("Person ")]) == len(KINDS)
    assert any(line.startswith("Person p1-p14 (14 persons): stage ") for line in lines)
    assert sum("p1-p56 (56 persons) offered, to act" in line for line in lines) == 1
    assert any(line.startswith("p1-p56 (56 persons): ROUTED (diteruskan)") for line in lines)
    one = len(
        list(
            story(
                document(fifty_six(report) | {"persons": report["persons"][:1], "acts": report["acts"][:1]})
            )
        )
    )
    assert len(lines) < one * (len(KINDS) + 1)


def test_every_person_is_in_exactly_one_group(report: dict[str, Any]) -> None:
    facts = facts_of(read_report(fifty_six(report), date(2024, 11, 1)), date(2024, 10, 25))
    persons = packaged_judge().decide(facts, date(2024, 10, 31), ()).document()["persons"]
    groups = [words for words, _ in persons_alike(persons)]
    assert groups == [f"p{n}-p{n + 13} (14 persons)" for n in (1, 15, 29, 43)]


def test_what_differs_is_said_apart() -> None:
    entry = {"at": "2024-10-31T02:00:01Z", "who": "BKN", "why": None}
    timeline = [
        {**entry, "what": "decided"},
        {**entry, "what": "decided"},
        {**entry, "what": "p1 offered, to act"},
        {**entry, "what": "p3 offered, to act"},
        {**entry, "what": "p2 offered, informed"},
        {**entry, "what": "p4 offered, to act", "at": "2024-10-31T02:00:02Z"},
    ]
    assert [found["what"] for found in entries_alike(timeline)] == [
        "decided",
        "decided",
        "p1, p3 (2 persons) offered, to act",
        "p2 offered, informed",
        "p4 offered, to act",
    ]


def test_persons_are_named_in_runs() -> None:
    assert in_words(["p1"]) == "p1"
    assert in_words(["p1", "p2", "p3", "p7"]) == "p1-p3, p7 (4 persons)"
    assert in_words(["guru", "camat"]) == "guru, camat (2 persons)"
