"""`netral cases` and `netral stats`: who waits where, and how many of each."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from contracts import regions
from services.cli.casework import OPERATOR, ask
from services.cli.console import complain, printable, tables, write_json
from services.cli.story import local_time

_LIMIT = {
    "under_25": "< 25 % of limit",
    "under_75": "< 75 %",
    "under_100": "< 100 %",
    "over": "over",
    "no_limit": "no limit",
}
_WAITS = ("< 7 days", "< 30 days", "< 90 days", "longer")


def cases(
    narrowed: dict[str, str | None], *, orphans: bool, over_limit: bool, limit: int, as_json: bool
) -> None:
    """One page of open matters. Raises Stop."""
    params = {name: value for name, value in narrowed.items() if value}
    params = {name: value if name == "cursor" else value.upper() for name, value in params.items()}
    params |= {name: "true" for name, on in (("orphans", orphans), ("over_limit", over_limit)) if on}
    page = ask("/v1/operator/cases", OPERATOR, what="cases", params={**params, "limit": str(limit)})
    if as_json:
        write_json(page)
        return
    if not page["matters"]:
        tables().print("Nothing waits there.")
        return
    show(
        ("Since", "Ticket", "Person", "Place", "State", "Must act next", "Why", "Last day"),
        [_line(matter) for matter in page["matters"]],
    )
    if page["next_cursor"]:
        complain(f"More: add --cursor {page['next_cursor']}")


def stats(by: str, *, as_json: bool) -> None:
    """Counts, and what each body holds. Raises Stop."""
    told = ask("/v1/operator/stats", OPERATOR, what="stats", params={"by": by})
    if as_json:
        write_json(told)
        return
    names = told["by"]
    rows = [
        [*(row[name] or "closed" for name in names), row["persons"], row["cases"]] for row in told["counts"]
    ]
    show((*(name.capitalize() for name in names), "Persons", "Cases"), rows)
    tables().print()
    held = [
        [row["owner"], row["persons"], row["cases"], _jakarta(row["oldest_since"]), row["overdue"]]
        for row in told["ageing"]
    ]
    show(("Holds", "Persons", "Cases", "Oldest since", "Over the limit"), held)
    tables().print()
    waits = [
        [
            row["owner"],
            row["state"],
            row["persons"],
            *(row["limit"][part] for part in _LIMIT),
            *row["waits"].values(),
        ]
        for row in told["stages"]
    ]
    show(("Waits with", "State", "Persons", *_LIMIT.values(), *_WAITS), waits)


def show(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table on a terminal; without one a line for each row, its cells parted by tabs."""
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(heads), *cells]:
            print("\t".join(row))
        return
    table = Table(*heads)
    for row in cells:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    tables().print(table)


def _line(matter: dict[str, Any]) -> tuple[str | None, ...]:
    last_days = [due["last_day"] for due in matter["dues"]]
    last_days += [matter["alarm"]["last_day"]] if matter.get("alarm") else []
    owner = f"{matter['owner'] or 'nobody'} {matter['office'] or ''}".strip()
    queue = matter.get("queue")
    return (
        local_time(matter["since"], matter["region"]),
        matter["ticket"],
        matter["person"],
        _place(matter["region"]),
        f"{matter['state']} ({matter['label']['id']})",
        owner,
        queue["id"] if queue else matter["why"],
        min(last_days, default=None),
    )


def _jakarta(instant: str | None) -> str | None:
    """An instant of cases in several zones by the clock of the capital."""
    return instant and local_time(instant, "kemendagri:31")


def _place(region: str) -> str:
    try:
        return regions.name_of(region)
    except KeyError:
        return region
