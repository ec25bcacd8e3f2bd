"""Makes one digest of the notices that wait for the same hour, in one transaction; one that waits alone is sent as it is."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import NoticeStep
from services.notifications.core.manners import When
from services.notifications.core.notices import Facts, Item, Notice, State, digest_id
from services.notifications.ledger import Ledger
from services.notifications.ledger_rows import notice_of
from services.notifications.ledger_tables import notices
from services.runtime.database import unindexed

MOST_LINES = 100
"""Cases a digest names; of the others it gives the number."""
AT_ONCE = 5_000
"""Notices that are gathered in one transaction."""


async def gather(ledger: Ledger, now: datetime, edition: str) -> int:
    """Gather what is due; how many digests were made. Raises LedgerAway."""
    n = notices.c
    due = (
        select(n.reader, n.slot, n.notice_id)
        .where(n.slot.is_not(None), n.state == State.PENDING, n.next_attempt_at <= now)
        .order_by(n.reader, n.slot, n.created_at, n.notice_id)
        .limit(AT_ONCE)
    )
    if not await ledger.read(due.limit(1)):
        return 0

    async def work(connection: AsyncConnection) -> int:
        rows = (await connection.execute(due)).all()
        made = 0
        for (_, slot), group in groupby(rows, key=lambda row: (row.reader, row.slot)):
            ids = [row.notice_id for row in group]
            if len(ids) > 1:
                await _one(ledger, connection, ids, slot, now, edition)
                made += 1
            else:
                await connection.execute(_those(ids).values(slot=None))
        return made

    return int(await ledger.do(work))


async def _one(
    ledger: Ledger, connection: AsyncConnection, ids: Sequence[str], slot: str, now: datetime, edition: str
) -> None:
    """Only those that the digest names are read whole: a burst makes thousands of notices to one reader."""
    named = (
        await connection.execute(select(notices).where(notices.c.notice_id.in_(ids[:MOST_LINES])))
    ).mappings()
    by_id = {row["notice_id"]: notice_of(row) for row in named}
    members = [by_id[notice_id] for notice_id in ids[:MOST_LINES]]
    digest = digest_of(members, len(ids) - len(members), slot, now, edition)
    row = ledger.recorder.row(digest, now, When(now), None)
    await connection.execute(insert(notices).values({**row, "next_attempt_at": now}))
    gathered = {"state": State.GATHERED, "gathered_in": str(digest.notice_id), "next_attempt_at": None}
    await connection.execute(_those(ids).values(gathered))


def _those(ids: Sequence[str]) -> Update:
    return update(notices).where(notices.c.notice_id.in_(ids), unindexed(notices.c.state) == State.PENDING)


def digest_of(members: Sequence[Notice], more: int, slot: str, now: datetime, edition: str) -> Notice:
    """The digest that names `members`, oldest first, and says that there are `more`; its case is that of the first."""
    first = members[0]
    return Notice(
        notice_id=digest_id(first.reader, slot, UUID(str(first.notice_id))),
        case_id=first.case_id,
        report_id=first.report_id,
        step=NoticeStep.DIGEST,
        audience=first.audience,
        agency=first.agency,
        office=first.office,
        place=int(now.timestamp()) // 60,
        facts=Facts(
            ticket="-",
            region=first.facts.region,
            letter="digest",
            edition=edition,
            items=tuple(map(_item, members)),
            more=more,
        ),
    )


def _item(notice: Notice) -> Item:
    facts = notice.facts
    return Item(
        ticket=facts.ticket,
        case_id=notice.case_id,
        region=facts.region,
        letter=notice.letter,
        role=facts.duties[0].role if facts.duties else None,
        event=facts.event,
        last_day=facts.last_day,
    )
