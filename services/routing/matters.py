"""The read model of what every person's matter is now: owner, state, inboxes, time limits and counts, by version.

A version is the number of the step it comes from (0: the opening). Versions are folded in their order: one that comes
early waits in the table of steps for those before it. So the model depends on the events alone, not on how they came.
"""

import json
from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import CaseDecided, CaseDue, CaseStepped, CaseSteppedData, CaseWaiting
from contracts.steps import Link, Matter
from services.routing import views_tables as tables
from services.routing.core.ageing import limit_of
from services.routing.core.life import opening
from services.routing.core.lifecycle import STATES
from services.routing.core.limits import timers_of
from services.routing.links import keep_links
from services.routing.showing import beside
from services.routing.tallies import count
from services.runtime.database import insert_new

Row = dict[str, Any]
Key = tuple[str, Any]
"""A case, and a person or a version of it."""


OVER = ("OVERDUE", "QUEUE")
"""The levels of timers that say a limit is over."""


class Version(NamedTuple):
    """All matters of a case as one event leaves them."""

    case_id: str
    number: int
    at: datetime
    ticket: str
    region: str
    matters: tuple[Matter, ...]
    link: Link | None


def version_of(event: CaseDecided | CaseStepped) -> Version:
    """The version an event makes."""
    data = event.data
    case_id, at = str(data.case_id), event.time
    if isinstance(data, CaseSteppedData):
        return Version(case_id, data.number, at, data.ticket, data.region, data.persons, data.link)
    matters = data.persons or opening(data.decision)
    return Version(case_id, 0, at, data.ticket, data.region, matters, None)


async def keep_versions(connection: AsyncConnection, found: Sequence[Version]) -> None:
    """Fold what came, and what waited for it, into the read model. Steps must be in their table already."""
    came = {(version.case_id, version.number): version for version in found}
    ids = sorted({version.case_id for version in found})
    known = {row["case_id"]: row for row in await _rows(connection, tables.versions, ids)}
    came |= await _waiting(connection, ids, came.keys())
    runs = {}
    for case_id in ids:
        number = known[case_id]["version"] + 1 if case_id in known else 0
        run = []
        while version := came.get((case_id, number)):
            run.append(version)
            number += 1
        if run:
            runs[case_id] = run
    if runs:
        await _replace(connection, runs, known)


async def _waiting(connection: AsyncConnection, ids: list[str], came: Set[Key]) -> dict[Key, Version]:
    """The steps that came before a step they follow."""
    s, v = tables.steps.c, tables.versions.c
    later = (
        select(s.case_id, s.number, s.event)
        .outerjoin(tables.versions, v.case_id == s.case_id)
        .where(s.case_id.in_(ids), s.number > func.coalesce(v.version, -1))
    )
    found = await connection.execute(later) if ids else ()
    return {
        (row.case_id, row.number): version_of(CaseStepped.model_validate_json(row.event))
        for row in found
        if (row.case_id, row.number) not in came
    }


async def keep_dues(connection: AsyncConnection, fired: Sequence[CaseDue | CaseWaiting]) -> None:
    """Remember the limits that were said, and mark their timers."""
    rows = [
        {
            "case_id": str(event.data.case_id),
            "ref": event.data.person,
            "agency": event.data.agency,
            "last_day": str(event.data.last_day),
            "level": event.data.level,
        }
        for event in fired
    ]
    if not rows:
        return
    await connection.execute(insert_new(connection, tables.spoken), rows)
    c = tables.timers.c
    marked = update(tables.timers).where(*(c[name] == bindparam(f"b_{name}") for name in rows[0]))
    found = [{f"b_{name}": value for name, value in row.items()} for row in rows]
    await connection.execute(marked.values(fired=True), found)
    m = tables.matters.c
    over = exists().where(c.case_id == m.case_id, c.ref == m.ref, c.level.in_(OVER), c.fired.is_(True))
    concerned = m.case_id.in_({row["case_id"] for row in rows})
    await connection.execute(update(tables.matters).where(concerned, over).values(late=True))


async def _replace(
    connection: AsyncConnection, runs: dict[str, list[Version]], known: dict[str, Row]
) -> None:
    """Bring the cases from the versions known to the last of their runs."""
    ids = list(runs)
    before = await _rows(connection, tables.matters, ids)
    said = {_timer_key(row) for row in await _rows(connection, tables.spoken, ids)}
    opened = {i: known[i]["opened_at"] if i in known else runs[i][0].at for i in ids}
    was = {(row["case_id"], row["ref"]): row for row in before}
    last = [run[-1] for run in runs.values()]
    timers = [row for v in last for row in _timers(v, opened[v.case_id], said)]
    late = {(row["case_id"], row["ref"]) for row in timers if row["fired"] and row["level"] in OVER}
    folded = [row for run in runs.values() for row in _folded(run, was)]
    now = [{**row, "late": (row["case_id"], row["ref"]) in late} for row in folded]
    for table in (tables.versions, tables.matters, tables.inbox, tables.timers):
        await connection.execute(delete(table).where(table.c.case_id.in_(ids)))
    numbers = [{"case_id": v.case_id, "version": v.number, "opened_at": opened[v.case_id]} for v in last]
    await _insert(connection, tables.versions, numbers)
    await _insert(connection, tables.matters, now)
    await _insert(connection, tables.inbox, [row for v in last for row in _inbox(v, opened[v.case_id])])
    await _insert(connection, tables.timers, timers)
    await keep_links(connection, {v.case_id: v.link for v in last})
    await count(connection, before, now)


def _folded(run: list[Version], was: dict[Key, Row]) -> list[Row]:
    """The matters after the last version of a run; each version in between counts for how long they wait."""
    rows: list[Row] = []
    for version in run:
        rows = [_matter(version, matter, was) for matter in version.matters]
        was = {(row["case_id"], row["ref"]): row for row in rows}
    return rows


def _inbox(version: Version, opened: datetime) -> list[Row]:
    """One row for each body, role and person; `due_at` is when the first time limit of that body is over."""
    keys = {
        (part.agency, part.office or "", part.role, version.case_id, matter.ref): matter
        for matter in version.matters
        for part in matter.parts
        if part.active
    }
    names = ("agency", "office", "role", "case_id", "ref")
    return [
        {
            **dict(zip(names, key, strict=True)),
            "region": version.region,
            "state": matter.state,
            "opened_at": opened,
            "updated_at": version.at,
            "due_at": min(
                (d.over_at for d in matter.dues if (d.agency, d.office or "") == key[:2]), default=None
            ),
        }
        for key, matter in keys.items()
    ]


def _matter(version: Version, matter: Matter, known: dict[Key, Row]) -> Row:
    """`since` stays while owner and state stay: it is how long the person waits there."""
    owner = matter.owner
    row = {
        "case_id": version.case_id,
        "ref": matter.ref,
        "ticket": version.ticket,
        "region": version.region,
        "state": matter.state,
        "stage": matter.stage,
        "class": matter.class_,
        "closed": owner is None and STATES[matter.state].closed,
        "owner": owner.agency if owner else None,
        "office": owner.office if owner else None,
        "why": owner.why[:80] if owner else None,
        "since": version.at,
        **limit_of(matter)._asdict(),
        "late": False,
        "matter": matter.model_dump_json(by_alias=True),
    }
    was = known.get((version.case_id, matter.ref))
    same = was and (was["owner"], was["office"], was["state"]) == (row["owner"], row["office"], row["state"])
    return {**row, "since": was["since"]} if was and same else row


def _timers(version: Version, opened: datetime, fired: set[tuple[Any, ...]]) -> list[Row]:
    rows = [timer._asdict() | {"case_id": version.case_id} for timer in timers_of(version.matters, opened)]
    rows = [{**row, "last_day": str(row["last_day"])} for row in rows]
    return [{**row, "fired": _timer_key(row) in fired} for row in rows]


def _timer_key(row: Row) -> tuple[Any, ...]:
    return row["case_id"], row["ref"], row["agency"], row["last_day"], row["level"]


async def _rows(connection: AsyncConnection, table: Any, ids: list[str]) -> list[Row]:
    if not ids:
        return []
    found = await connection.execute(select(table).where(table.c.case_id.in_(ids)))
    return [dict(row._mapping) for row in found]


async def _insert(connection: AsyncConnection, table: Any, rows: list[Row]) -> None:
    if rows:
        await connection.execute(insert(table), rows)


def shown(row: Row) -> Row:
    """A matter as the operator's list shows it."""
    state, matter = STATES[row["state"]], json.loads(row["matter"])
    return {
        "case_id": row["case_id"],
        "ticket": row["ticket"],
        "person": row["ref"],
        "region": row["region"],
        "state": row["state"],
        "label": {"id": state.id, "en": state.en},
        "owner": row["owner"],
        "office": row["office"],
        "why": row["why"],
        "since": row["since"].isoformat(),
        **beside(matter),
        "dues": matter["dues"],
    }
