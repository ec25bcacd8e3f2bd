"""The independent checker reads a case's progress from what was said alone."""

from typing import Any

from services.cli.verify.history import progressed


def steps(*said: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"number": number, "said": {"person": None, **one}} for number, one in enumerate(said, 1)]


def study(result: str) -> dict[str, Any]:
    return {"event": "STUDY_CONCLUDED", "result": result}


def void(step: int) -> dict[str, Any]:
    return {"event": "VOID", "step": step}


def test_what_was_taken_back_led_nowhere() -> None:
    assert progressed(steps(study("NO_BREACH")), "p1") == "NOT_PROVEN_BY_STUDY"
    assert progressed(steps(study("NO_BREACH"), void(1)), "p1") == "ROUTED"


def test_what_was_said_last_stands_although_an_end_before_it_stands_again() -> None:
    """Found by a walk of 100,000 steps (seed 20261128): here the checker itself was wrong."""
    again = steps(study("NO_BREACH"), void(1), {"event": "WITHDRAWN"}, void(2))
    assert progressed(again, "p1") == "WITHDRAWN"
    again = steps(study("NO_BREACH"), void(1), study("BREACH"), void(2))
    assert progressed(again, "p1") == "BREACH"
