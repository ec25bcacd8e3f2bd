"""The story of a case reads as a text: who was told, who comes later, who is left out, and why."""

import json
from datetime import date
from typing import Any

from contracts.door import read_report
from contracts.facts import facts_of
from services.cli.story import deadline_in_words, story
from tests.packaged import packaged_judge


def document(report: dict[str, Any]) -> dict[str, Any]:
    """What the routing service answers about the contract's example."""
    facts = facts_of(read_report(report, date(2024, 11, 1)), date(2024, 10, 25))
    decision = packaged_judge().decide(facts, date(2024, 10, 31), ())
    return {
        "case_id": "9c1f6f5e-7a29-5a52-8f6e-0f0d4a5b6c7d",
        "ticket": "NTR-0000-0000-0000-0000",
        "region": "kemendagri:52.04",
        "opened_at": "2024-10-31T02:00:00Z",
        "state": "ROUTED",
        "decision": json.loads(json.dumps(decision.document())),
        "timeline": [
            {
                "at": "2024-10-31T02:00:00Z",
                "what": "decided",
                "who": None,
                "why": "skb-netralitas-asn 2026.1.1",
            },
            {"at": "2024-10-31T02:00:01Z", "what": "offered", "who": "BAWASLU", "why": "bawaslu.receives"},
        ],
    }


def test_the_story_names_everyone_who_acts_later_or_is_left_out(report: dict[str, Any]) -> None:
    text = "\n".join(story(document(report)))
    assert "Kabupaten Sumbawa, opened 2024-10-31 10:00:00 WITA, ROUTED" in text
    assert "2024-10-31 10:00:01 WITA  BAWASLU: offered\n    why: bawaslu.receives" in text
    now, later, rest = (
        text.index("  Now\n"),
        text.index("  At a later event\n"),
        text.index("  Deliberately not told\n"),
    )
    assert now < text.index("OPENED: BAWASLU (Kabupaten Sumbawa), ACTION") < later
    assert later < text.index("PPK_CONCLUDED:SILENT: ") < rest
    assert rest < text.index("GAKKUMDU: post_kind is FUNGSIONAL, needs STRUKTURAL")


def test_a_case_nobody_decided_yet_is_told_all_the_same(report: dict[str, Any]) -> None:
    lines = list(story({**document(report), "decision": None, "timeline": []}))
    assert lines[-1] == "What happened"


def test_deadlines_are_words() -> None:
    assert deadline_in_words({"count": 1, "unit": "HOUR", "since": "KNOWN"}) == "within 1 hour of KNOWN"
    assert (
        deadline_in_words({"count": 7, "unit": "CALENDAR_DAY", "since": "KNOWN"})
        == "within 7 calendar days of KNOWN"
    )
    assert deadline_in_words(None) == ""
