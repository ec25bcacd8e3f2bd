"""The read model of what every person's matter is now: owner, state, inboxes, time limits and counts, by version.

A version is the number of the step it comes from (0: the opening). Only a newer version changes anything, so events may
come again and in any order; what a version replaces is replaced whole, in one transaction.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts import regions
from contracts.events import CaseDecided, CaseDue, CaseStepped, CaseSteppedData, CaseWaiting
from contracts.steps import Matter
from services.routing import views_tables as tables
from services.routing.core.life import opening
from services.routing.core.lifecycle import STATES
from services.routing.core.limits import timers_of
from services.routing.showing import beside
from services.runtime.database import aware, insert_new

Row = dict[str, Any]
Cell = tuple[str, str, str, str, str]
"""Owner (empty: closed), state, stage, class and province."""


class Version(NamedTuple):
    """All matters of a case as one event leaves them."""

    case_id: str
    number: int
    at: datetime
    ticket: str
    region: str
    matters: tuple[Matter, ...]


def version_of(event: CaseDecided | CaseStepped) -> Version:
    """The version an event makes."""
    data = event.data
    if isinstance(data, CaseSteppedData):
        number, matters = data.number, data.persons
    else:
        number, matters = 0, data.persons or opening(data.decision)
    return Version(str(data.case_id), number, event.time, data.ticket, data.region, matters)


async def keep_versions(engine: AsyncEngine, connection: AsyncConnection, found: Iterable[Version]) -> None:
    """Bring the newest version of each case into the read model."""
    newest: dict[str, Version] = {}
    for version in found:
        if version.number >= newest.get(version.case_id, version).number:
            newest[version.case_id] = version
    known = {row["case_id"]: row for row in await _rows(connection, tables.versions, list(newest))}
    fresh = [v for v in newest.values() if v.case_id not in known or known[v.case_id]["version"] < v.number]
    if fresh:
        await _replace(engine, connection, fresh, known)


async def keep_dues(connection: AsyncConnection, fired: Sequence[CaseDue | CaseWaiting]) -> None:
    """Mark the timers that have spoken."""
    c = tables.timers.c
    query = update(tables.timers).where(
        c.case_id == bindparam("b_case"),
        c.ref == bindparam("b_ref"),
        c.agency == bindparam("b_agency"),
        c.last_day == bindparam("b_day"),
        c.level == bindparam("b_level"),
    )
    rows = [
        {
            "b_case": str(event.data.case_id),
            "b_ref": event.data.person,
            "b_agency": event.data.agency,
            "b_day": str(event.data.last_day),
            "b_level": event.data.level,
        }
        for event in fired
    ]
    if rows:
        await connection.execute(query.values(fired=True), rows)


async def _replace(
    engine: AsyncEngine, connection: AsyncConnection, fresh: list[Version], known: dict[str, Row]
) -> None:
    ids = [version.case_id for version in fresh]
    before = await _rows(connection, tables.matters, ids)
    fired = {_timer_key(row) for row in await _rows(connection, tables.timers, ids) if row["fired"]}
    since = {(row["case_id"], row["ref"]): row for row in before}
    opened = {v.case_id: known[v.case_id]["opened_at"] if v.case_id in known else v.at for v in fresh}
    now = [_matter(version, matter, since) for version in fresh for matter in version.matters]
    inbox = {
        (part.agency, part.office or "", part.role, v.case_id): None
        for v in fresh
        for matter in v.matters
        for part in matter.parts
        if part.active
    }
    timers = [row for v in fresh for row in _timers(v, opened[v.case_id], fired)]
    for table in (tables.versions, tables.matters, tables.inbox, tables.timers):
        await connection.execute(delete(table).where(table.c.case_id.in_(ids)))
    await _insert(
        connection,
        tables.versions,
        [{"case_id": v.case_id, "version": v.number, "opened_at": opened[v.case_id]} for v in fresh],
    )
    await _insert(connection, tables.matters, now)
    names = ("agency", "office", "role", "case_id")
    rows = [{**dict(zip(names, key, strict=True)), "opened_at": opened[key[3]]} for key in inbox]
    await _insert(connection, tables.inbox, rows)
    await _insert(connection, tables.timers, timers)
    await _count(engine, connection, before, now)


def _matter(version: Version, matter: Matter, since: dict[tuple[str, str], Row]) -> Row:
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
        "closed": owner is None,
        "owner": owner.agency if owner else None,
        "office": owner.office if owner else None,
        "why": owner.why[:80] if owner else None,
        "since": version.at,
        "matter": matter.model_dump_json(by_alias=True),
    }
    was = since.get((version.case_id, matter.ref))
    same = was and (was["owner"], was["office"], was["state"]) == (row["owner"], row["office"], row["state"])
    return {**row, "since": was["since"]} if was and same else row


def _timers(version: Version, opened: datetime, fired: set[tuple[Any, ...]]) -> list[Row]:
    rows = [timer._asdict() | {"case_id": version.case_id} for timer in timers_of(version.matters, opened)]
    rows = [{**row, "last_day": str(row["last_day"])} for row in rows]
    return [{**row, "fired": _timer_key(row) in fired} for row in rows]


def _timer_key(row: Row) -> tuple[Any, ...]:
    return row["case_id"], row["ref"], row["agency"], row["last_day"], row["level"]


async def _count(engine: AsyncEngine, connection: AsyncConnection, before: list[Row], now: list[Row]) -> None:
    """Move the counts from the old cells to the new ones, in persons and in cases."""
    persons, cases = Counter[Cell](), Counter[Cell]()
    for rows, sign in ((before, -1), (now, 1)):
        for row in rows:
            persons[_cell(row)] += sign
        for cell, _ in {(_cell(row), row["case_id"]) for row in rows}:
            cases[cell] += sign
    names = ("owner", "state", "stage", "class", "province")
    changed = [cell for cell in persons.keys() | cases.keys() if persons[cell] or cases[cell]]
    c = tables.tallies.c
    for cell in changed:
        key = dict(zip(names, cell, strict=True))
        await connection.execute(insert_new(engine, tables.tallies), {**key, "persons": 0, "cases": 0})
        await connection.execute(
            update(tables.tallies)
            .where(*(c[name] == value for name, value in key.items()))
            .values(persons=c.persons + persons[cell], cases=c.cases + cases[cell])
        )


def _cell(row: Row) -> Cell:
    province = regions.bare(row["region"])[:2]
    return row["owner"] or "", row["state"], row["stage"], row["class"], province


async def _rows(connection: AsyncConnection, table: Any, ids: list[str]) -> list[Row]:
    if not ids:
        return []
    found = await connection.execute(select(table).where(table.c.case_id.in_(ids)))
    return [aware(dict(row._mapping)) for row in found]


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
