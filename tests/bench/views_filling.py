"""Fills a read model with as many cases as wanted: rows of real lives under other ids and on other days."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.events import CaseDecided, CaseStepped
from services.routing import views_tables as tables
from services.routing.core.decide import Judge
from services.routing.matters import _folded, _inbox, _timers, version_of
from services.routing.tallies import count
from tests.bench.scale import repeated
from tests.routing.histories import BREACH, RECOMMENDED, SANCTIONED, SILENT, history

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BLOCK = 10_000
"""Different cases, each whole; more are these again."""
OPENED_AT = datetime(2024, 10, 31, 3, tzinfo=UTC)
"""When the cases of `histories` open."""
PLACES = [
    f"kemendagri:{province}.{regency:02}"
    for province in (11, 32, 33, 35, 52, 53, 73, 81, 94)
    for regency in range(1, 9)
]
WAVES = (
    (),
    (),
    (BREACH,),
    (BREACH, RECOMMENDED),
    (BREACH, RECOMMENDED, SILENT),
    (BREACH, RECOMMENDED, SANCTIONED),
)
SEED = 62
_RENAMED = {
    "case_id": "CAST(:block AS VARCHAR) || substr(case_id, 9)",
    "report_id": "CAST(:block AS VARCHAR) || substr(report_id, 9)",
    "ticket": "CAST(:block AS VARCHAR) || ticket",
    "event": "substr(event, 1, 600)",
}
"""How the ids of one block become those of another. Their records are cut: a story alone reads them."""
Rows = dict[str, list[dict[str, Any]]]


class Life(NamedTuple):
    """A case to make many of: its opening and the versions after it."""

    decided: CaseDecided
    steps: list[CaseStepped]


def lives(judge: Judge) -> list[Life]:
    """Every wave at every place, as the rules decide it."""
    found = []
    for number, place in enumerate(PLACES):
        for wave in WAVES:
            events = history(judge, number + 1, *wave, incident__region=place)
            steps = [e for e in events if isinstance(e, CaseStepped)]
            decided = next(e for e in events if isinstance(e, CaseDecided))
            found.append(Life(decided, steps))
    return found


def rows_of(life: Life) -> Rows:
    """The rows of a case as the projection writes them, at the times of its life."""
    told: list[CaseDecided | CaseStepped] = [life.decided, *life.steps]
    versions = [version_of(event) for event in told]
    last, at = versions[-1], life.decided.time
    timers = [{**row, "fired": False} for row in _timers(last, at, set())]
    case = {"case_id": last.case_id, "opened_at": at}
    report = {"report_id": str(life.decided.data.report_id), "ticket": last.ticket}
    body = life.decided.model_dump_json(by_alias=True)
    return {
        "cases": [{**case, **report, "region": last.region, "event": body}],
        "case_reports": [{**report, "case_id": last.case_id, "at": at}],
        "versions": [{**case, "version": last.number}],
        "matters": [{**row, "late": False} for row in _folded(versions, {})],
        "inbox": _inbox(last, at),
        "timers": timers,
        "steps": [
            {
                "case_id": last.case_id,
                "number": n,
                "at": e.time,
                "sealed": False,
                "event": e.model_dump_json(),
            }
            for n, e in enumerate(life.steps, 1)
        ],
    }


def another(rows: Rows, number: int, later: timedelta) -> Rows:
    """The same case under other ids, at another time; its limits have spoken where they passed."""
    ids = {
        "case_id": str(UUID(int=number * 7919)),
        "report_id": str(UUID(int=number)),
        "ticket": f"NTR-{number:08}",
    }
    moved: Rows = {
        name: [
            {k: ids.get(k, v + later if isinstance(v, datetime) else v) for k, v in row.items()}
            for row in found
        ]
        for name, found in rows.items()
    }
    for timer in moved["timers"]:
        timer["fired"] = timer["at"] <= NOW
    late = any(timer["fired"] and timer["level"] != "REMINDER" for timer in moved["timers"])
    for matter in moved["matters"]:
        matter["late"] = late and not matter["closed"]
    return moved


async def fill(engine: AsyncEngine, cases: int, known: list[Rows]) -> None:
    """A block of different cases, opened on days of a year, then that block again and again under other ids."""
    dice, block = random.Random(SEED), min(BLOCK, cases)
    rows: Rows = {}
    for number in range(1, block + 1):
        later = timedelta((NOW - OPENED_AT).days - dice.randrange(365))
        for name, found in another(dice.choice(known), number, later).items():
            rows.setdefault(name, []).extend(found)
    async with engine.begin() as connection:
        for name, found in rows.items():
            await connection.execute(insert(tables.metadata.tables[name]), found)
        await count(connection, [], rows["matters"])
    filled = [tables.metadata.tables[name] for name in rows]
    await repeated(engine, filled, cases // block, _RENAMED, "case_id < '00000001'")
    async with engine.begin() as connection:
        for name, units in (("tallies", "persons cases"), ("overlaps", "cases"), ("waits", "persons")):
            more = ", ".join(f"{unit} = {unit} * {cases // block}" for unit in units.split())
            await connection.execute(text(f'UPDATE "{name}" SET {more}'))
        if engine.dialect.name != "sqlite":  # SQLite plans as in a service, which never analyses
            await connection.execute(text("ANALYZE"))
