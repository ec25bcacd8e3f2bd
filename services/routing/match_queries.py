"""Pairs of cases that may be one: kept from the log, offered the oldest first for as long as an answer changes anything."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.matches import MatchAnswered, ReportResembles, match_id_of
from services.routing.views_tables import cases, links, match_answers, matches, matters

Row = dict[str, Any]


def rows_of_resembles(event: ReportResembles) -> Iterable[Row]:
    """One row for each other case a report resembles."""
    data = event.data
    for other in data.others:
        if other.case_id != data.case_id:
            yield {
                "match_id": str(match_id_of(data.case_id, other.case_id)),
                "report_id": str(data.report_id),
                "case_id": str(data.case_id),
                "ticket": data.ticket,
                "other_ticket": other.ticket,
                "other_report": str(other.report_id),
                "other_case": str(other.case_id),
                "score": other.score,
                "reasons": json.dumps(other.reasons),
                "at": event.time,
            }


def row_of_answer(event: MatchAnswered) -> Row:
    data = event.data
    return {
        "match_id": str(data.match_id),
        "number": data.number,
        "answer": data.answer,
        "at": event.time,
        "event": event.model_dump_json(),
    }


class MatchQueries:
    """Reads only; where each case of a pair leads to (`root`, `other_root`) is joined in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
        """Pairs nobody answered whose cases are two and both open, the oldest first; `after` is the last one seen."""
        m = matches.c
        query = _pairs().where(_undecided())
        if after:
            at, match_id = after
            query = query.where(or_(m.at > at, and_(m.at == at, m.match_id > match_id)))
        return await self._all(query.order_by(m.at, m.match_id).limit(limit))

    async def waiting_since(self) -> tuple[int, datetime | None]:
        """How many pairs wait, and since when the oldest does."""
        inner = _pairs().where(_undecided()).subquery()
        (row,) = await self._all(select(func.count().label("n"), func.min(inner.c.at).label("at")))
        return int(row["n"]), row["at"]

    async def match(self, match_id: str) -> Row | None:
        """One pair, answered or not."""
        rows = await self._all(_pairs().where(matches.c.match_id == match_id))
        return rows[0] if rows else None

    async def answer(self, match_id: str) -> Row | None:
        """The last answer about a pair."""
        a = match_answers.c
        query = select(match_answers).where(a.match_id == match_id).order_by(a.number.desc()).limit(1)
        rows = await self._all(query)
        return rows[0] if rows else None

    async def case_rows(self, case_ids: list[str]) -> dict[str, Row]:
        """Ticket, region, opening and persons of cases."""
        c = cases.c
        persons = select(func.count()).where(matters.c.case_id == c.case_id).scalar_subquery()
        columns = (c.case_id, c.ticket, c.report_id, c.region, c.opened_at, persons.label("persons"))
        rows = await self._all(select(*columns).where(c.case_id.in_(case_ids)))
        return {row["case_id"]: row for row in rows}

    async def astray(self, limit: int = 100) -> list[Row]:
        """Links that do not lead where they should: the case they mean was linked itself, or no longer is."""
        meant = links.alias()
        should = func.coalesce(meant.c.root, links.c.meant)
        query = select(links.c.case_id, should.label("root")).select_from(
            links.outerjoin(meant, meant.c.case_id == links.c.meant)
        )
        return await self._all(query.where(links.c.root.is_not(None), links.c.root != should).limit(limit))

    async def _all(self, query: Any) -> list[Row]:
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]


_ONE, _OTHER = links.alias("one"), links.alias("other")
_ROOT = func.coalesce(_ONE.c.root, matches.c.case_id)
_OTHER_ROOT = func.coalesce(_OTHER.c.root, matches.c.other_case)


def _pairs() -> Select[Any]:
    """Each pair once, by the report that was first found to resemble the other."""
    m, first = matches.c, matches.alias("first")
    joined = matches.outerjoin(_ONE, _ONE.c.case_id == m.case_id).outerjoin(
        _OTHER, _OTHER.c.case_id == m.other_case
    )
    before = or_(first.c.at < m.at, and_(first.c.at == m.at, first.c.report_id < m.report_id))
    sooner = exists().where(first.c.match_id == m.match_id, before)
    return (
        select(matches, _ROOT.label("root"), _OTHER_ROOT.label("other_root"))
        .select_from(joined)
        .where(~sooner)
    )


def _undecided() -> Any:
    answered = exists().where(match_answers.c.match_id == matches.c.match_id)
    return and_(~answered, _ROOT != _OTHER_ROOT, _open(_ROOT), _open(_OTHER_ROOT))


def _open(case_id: Any) -> Any:
    """Not `closed IS 0`: SQLite would take an index that begins with it, and read every open matter for each pair."""
    still = case((matters.c.closed, 0), else_=1) == 1
    return exists().where(matters.c.case_id == case_id, still)
