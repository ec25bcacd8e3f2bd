"""How far a person's matter is in its time limit, and how long it has waited; pure."""

from datetime import UTC, datetime, time
from typing import NamedTuple

from contracts.steps import Matter

BANDS = ("under_25", "under_75", "under_100", "over")
"""Per cent of the time limit that is over."""
AGES = (7, 30, 90)
"""Days; the bands of waiting are below each, and from the last one on."""


class Limit(NamedTuple):
    """When a quarter, three quarters and all of a time limit is over (UTC); nothing where none runs."""

    quarter_at: datetime | None = None
    remind_at: datetime | None = None
    over_at: datetime | None = None


def limit_of(matter: Matter) -> Limit:
    """The first limit of whoever must act; in the operator's queue the alarm, counted from its day."""
    owner, alarm = matter.owner, matter.alarm
    if owner is None:
        return Limit()
    mine = [due for due in matter.dues if (due.agency, due.office) == (owner.agency, owner.office)]
    if mine:
        due = min(mine, key=lambda due: due.over_at)
        return Limit(due.over_at - 3 * (due.over_at - due.remind_at), due.remind_at, due.over_at)
    if alarm:
        begins = datetime.combine(alarm.since, time(), UTC)
        return Limit(begins + (alarm.at - begins) / 4, begins + (alarm.at - begins) * 0.75, alarm.at)
    return Limit()


def bands(persons: int, quarter: int, three_quarters: int, over: int, limited: int) -> dict[str, int]:
    """Persons by how far their limit is, from how many are past each mark and how many have a limit at all."""
    parts = (limited - quarter, quarter - three_quarters, three_quarters - over, over)
    return {**dict(zip(BANDS, parts, strict=True)), "no_limit": persons - limited}


def ages(persons: int, older: tuple[int, ...]) -> dict[str, int]:
    """Persons by how long they wait, from how many wait for each of AGES or longer."""
    names = (*(f"under_{days}_days" for days in AGES), f"{AGES[-1]}_days_and_more")
    edges = (persons, *older, 0)
    return {name: edges[place] - edges[place + 1] for place, name in enumerate(names)}
