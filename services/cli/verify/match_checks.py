"""Checks near matches and links in the log: who resembles whom, what was answered, where a case leads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from services.cli.verify.due_checks import GRACE
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, standing
from services.cli.verify.logbook import Logbook, match_of

_SIDES = (("report_id", "case_id", "ticket"), ("other_report", "other_case", "other_ticket"))
_TWICE = """SELECT report_id, other_report, count(*) FROM resembles
    GROUP BY report_id, other_report HAVING count(*) > 1"""
_TO_NOBODY = """SELECT case_id, json_extract(data, '$.number'), json_extract(data, '$.link.to') AS root
    FROM events WHERE kind = 'step' AND root IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM events AS other WHERE other.case_id = root AND other.kind = 'decided')"""
_UNLINKED = """SELECT case_id, json_extract(data, '$.other'), json_extract(data, '$.number') FROM events AS answer
    WHERE kind = 'match' AND json_extract(data, '$.answer') = 'SAME'
    AND NOT EXISTS (SELECT 1 FROM events AS step WHERE step.kind = 'step'
        AND step.case_id IN (answer.case_id, json_extract(answer.data, '$.other'))
        AND json_extract(step.data, '$.said.event') = 'LINK')"""
_NEWEST = """SELECT json_extract(data, '$.link.to'), at FROM events
    WHERE case_id = ? AND kind = 'step' ORDER BY seq DESC LIMIT 1"""


def check_resembling(book: Logbook) -> Iterator[Finding]:
    """Whoever resembles whom was accepted, for that case and with that ticket; links lead to cases, SAME has its link."""
    for report_id, other, count in book.db.execute(_TWICE):
        yield Finding("resembles-twice", report_id, f"was said {count} times to resemble {other}")
    for report, case, ticket in _SIDES:
        query = f"""SELECT s.report_id, s.{report}, s.{case}, s.{ticket}, r.case_id, r.ticket FROM resembles AS s
            LEFT JOIN reports AS r ON r.report_id = s.{report}
            WHERE r.case_id IS NOT s.{case} OR r.ticket IS NOT s.{ticket}"""  # noqa: S608 - names of ours
        for report_id, named, *said, case_id, own in book.db.execute(query):
            says = f"resembles by the log {named} of the case {said[0]} with the ticket {said[1]}, "
            says += f"which is {own} of the case {case_id}" if own else "which was never accepted"
            yield Finding("resembles-otherwise" if own else "resembles-nobody", report_id, says)
    for case_id, number, root in book.db.execute(_TO_NOBODY):
        yield Finding(
            "link-to-nobody", case_id, f"is linked by step {number} to {root}, which has no decision"
        )
    for case_id, other, number in book.db.execute(_UNLINKED):
        says = f"is the same as {other} by answer {number}, and neither of them was ever linked"
        yield Finding("same-unlinked", case_id, says)


def check_answers(case: Case) -> Iterator[Finding]:
    """The answers about a pair are numbered from 1 without a gap, and stand with the first of its two cases."""
    numbers: dict[str, list[int]] = {}
    for fact in case.of("match"):
        data = fact.data
        numbers.setdefault(data["match_id"], []).append(data["number"])
        if data["match_id"] != match_of(case.case_id, data["other"]) or data["other"] <= case.case_id:
            says = f"the pair {data['match_id']} is not this case and {data['other']}"
            yield Finding("answer-elsewhere", case.case_id, says)
    for match_id, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            says = f"the answers about the pair {match_id} have the numbers {found}, not 1, 2, …"
            yield Finding("answer-gap", case.case_id, says)


def check_asked(case: Case, book: Logbook) -> Iterator[Finding]:
    """Answers are about pairs of which a report was found to resemble the other; newer reports may tell of it."""
    asked = "SELECT 1 FROM resembles WHERE match_id = ?"
    for match_id in sorted({fact.data["match_id"] for fact in case.of("match")}):
        if not book.db.execute(asked, (match_id,)).fetchone():
            says = f"the case {case.case_id} has answers about this pair, of which no report told"
            yield Finding("answer-unasked", match_id, says)


def check_links(case: Case) -> Iterator[Finding]:
    """Where each step says that the case leads follows from what was said: the operator links, Netral leads on."""
    for number, step in enumerate(case.steps, 1):
        wanted = _link(standing(case.steps[:number]))
        if (found := step.get("link")) != wanted:
            says = f"step {step['number']} leaves it linked to {_named(found)}, not to {_named(wanted)}"
            yield Finding("wrong-link", case.case_id, says)


def check_led_on(case: Case, book: Logbook, now: datetime) -> Iterator[Finding]:
    """A link leads where the case it means leads itself, so there is no chain; Netral has some minutes to lead it on."""
    if not case.steps or not (link := case.steps[-1].get("link")):
        return
    root, at = book.db.execute(_NEWEST, (link["meant"],)).fetchone() or (None, None)
    if link["to"] != (wanted := root or link["meant"]) and (
        not at or datetime.fromisoformat(at) + GRACE < now
    ):
        says = f"is linked to {link['to']}; the case {link['meant']} that is meant leads to {wanted}"
        yield Finding("link-astray", case.case_id, says)


def _link(steps: list[dict[str, Any]]) -> dict[str, str] | None:
    link: dict[str, str] | None = None
    for step in steps:
        to = step["said"].get("case")
        if step["said"]["event"] == "LINK" and (link or step["by"] == "OPERATOR"):
            link = {"to": to, "meant": to if step["by"] == "OPERATOR" or not link else link["meant"]}
    return link


def _named(link: dict[str, str] | None) -> str:
    return f"{link['to']} (meant: {link['meant']})" if link else "nothing"
