"""`netral succeed`: shows what a change of competence moves, then does it, page after page."""

from collections import Counter
from typing import Any

from services.cli.case_lists import show
from services.cli.casework import OPERATOR, ask
from services.cli.console import complain, tables, write_json
from services.cli.errors import TROUBLE

PATH = "/v1/operator/succession"


def succeed(act: dict[str, Any], *, yes: bool, as_json: bool) -> int:
    """Run the act over all open cases; the exit code. Raises Stop."""
    cases: list[dict[str, Any]] = []
    counts: dict[str, Counter[tuple[str, str]]] = {"before": Counter(), "after": Counter()}
    cursor: str | None = None
    while True:
        body = {
            name: value
            for name, value in {**act, "apply": yes, "cursor": cursor}.items()
            if value is not None
        }
        page = ask(PATH, OPERATOR, what="succeed", method="POST", body=body)
        cases += page["cases"]
        for name, counter in counts.items():
            for row in page[name]:
                counter[row["owner"], row["state"]] += row["persons"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    if as_json:
        rows = {name: _rows(counter) for name, counter in counts.items()}
        write_json({"applied": yes, "cases": cases, **rows})
    else:
        _say(act, cases, counts, yes)
    return TROUBLE if any(case["outcome"] == "refused" for case in cases) else 0


def _rows(counter: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"owner": o, "state": s, "persons": n} for (o, s), n in sorted(counter.items())]


def _say(
    act: dict[str, Any], cases: list[dict[str, Any]], counts: dict[str, Counter[tuple[str, str]]], yes: bool
) -> None:
    if not cases:
        tables().print(f"No open case obliges {act['from']}; nothing to do.")
        return
    cells = sorted(counts["before"].keys() | counts["after"].keys())
    lines = [
        [owner, state, counts["before"][owner, state], counts["after"][owner, state]]
        for owner, state in cells
    ]
    show(("Must act next", "State", "Persons before", "Persons after"), lines)
    tables().print()
    show(
        ("Ticket", "Outcome", "Before", "After", "Reason"),
        [
            [case["ticket"], case["outcome"], _who(case["before"]), _who(case["after"]), case["reason"]]
            for case in cases
        ],
    )
    tally = Counter(case["outcome"] for case in cases)
    said = ", ".join(f"{outcome}: {number}" for outcome, number in sorted(tally.items()))
    complain(f"{len(cases)} cases ({said})." + ("" if yes else " Nothing was changed; add --yes to do it."))


def _who(rows: list[dict[str, Any]]) -> str:
    return ", ".join(f"{row['owner']} {row['state']}" for row in rows)
