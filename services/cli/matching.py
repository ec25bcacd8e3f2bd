"""`netral matches`: reports that may tell of one event, the oldest first, and what a person answers."""

from typing import Any

from rich.table import Table
from rich.text import Text

from services.cli.casework import OPERATOR, ask
from services.cli.console import printable, tables, write_json
from services.cli.story import local_time

DOOR = "/v1/operator/matches"


def listing(*, limit: int, as_json: bool) -> None:
    """Show the pairs nobody answered. Raises Stop."""
    document = ask(DOOR, OPERATOR, what="matches", params={"limit": str(limit)})
    if as_json:
        write_json(document)
    elif not document["matches"]:
        tables().print("No pair of reports waits for an answer.")
    else:
        tables().print(_table(document))


def show(match_id: str) -> None:
    """Print one pair with both reports, as JSON. Raises Stop."""
    write_json(ask(f"{DOOR}/{match_id}", OPERATOR, what=f"match {match_id}"))


def answer(match_ids: list[str], said: str, reason: str) -> None:
    """Answer pairs alike, one after the other. Raises Stop at the first that is refused."""
    for match_id in match_ids:
        body = {"answer": said, "reason": reason}
        done = ask(f"{DOOR}/{match_id}", OPERATOR, what=f"match {match_id}", method="POST", body=body)
        tables().print(printable(f"{match_id}: {_in_words(done)}"), markup=False)


def _in_words(done: dict[str, Any]) -> str:
    if done["linked"]:
        return (
            f"case {done['linked']} is linked to {done['to']}; VOID of its step {done['step']} takes it back"
        )
    return "linked before" if done["answer"] == "SAME" else "stays two cases"


def _table(document: dict[str, Any]) -> Table:
    caption = (
        f"{document['waiting']} wait. Look: netral matches show ID. Answer: netral matches same|different ID"
    )
    table = Table("ID", "Waits", "Score", "Would be linked", "Goes on", "Why", caption=caption)
    for match in document["matches"]:
        why = "; ".join(reason["id"] for reason in match["reasons"])
        cells = (
            match["match_id"],
            _age(match["waiting_hours"]),
            f"{match['score']:.2f}",
            _case(match["duplicate"]),
            _case(match["goes_on"]),
            why,
        )
        table.add_row(*(Text(printable(str(cell)), overflow="fold") for cell in cells))
    return table


def _age(hours: int) -> str:
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _case(case: dict[str, Any]) -> str:
    persons = "1 person" if case["persons"] == 1 else f"{case['persons']} persons"
    opened = local_time(case["opened_at"], case["region"])
    return f"{case['ticket']}, {case['region_name']}, opened {opened}, {persons}"
