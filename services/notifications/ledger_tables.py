"""The ledger's tables, and how an older ledger gets the columns it lacks."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    case,
    inspect,
    text,
    update,
)
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeDecorator

from services.notifications.core.notices import TOLD, UNTOLD


class Instant(TypeDecorator[datetime]):
    """An instant as ISO text in UTC: it sorts, every database keeps it, and a person can read it."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()
notices = Table(
    "notices",
    metadata,
    Column("notice_id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False),
    Column("report_id", String(36), nullable=False),
    Column("step", String(20), nullable=False),
    Column("audience", String(10), nullable=False),
    Column("agency", String(20)),
    Column("office", String(40)),
    Column("reader", String(60), nullable=False, server_default="-"),
    Column("place", Integer, nullable=False, server_default="0"),
    Column("message_id", String(200), nullable=False),
    Column("root", String(200), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("doubts", Integer, nullable=False),
    Column("deferrals", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("lease_until", Instant),
    Column("slot", String(60)),
    Column("gathered_in", String(36)),
    Column("last_answer_class", String(40)),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("ended_at", Instant),
    Column("told", Integer, nullable=False),
    Column("turn", Integer, nullable=False, server_default="0"),
    Column("traceparent", String(60)),
)
Index("notices_due", notices.c.state, notices.c.next_attempt_at)
Index("notices_untold", notices.c.told, notices.c.state)
Index("notices_thread", notices.c.root, notices.c.state)
Index("notices_case", notices.c.case_id, notices.c.step)
Index("notices_reader", notices.c.reader, notices.c.created_at)
Index("notices_gathered", notices.c.gathered_in)
Index("notices_report", notices.c.report_id)
Index("notices_recent", notices.c.created_at, notices.c.place)
Index("notices_recent_in", notices.c.state, notices.c.created_at, notices.c.place)

NEXT_TURN = notices.c.turn + case((notices.c.state.in_(TOLD), 1), else_=0)
"""The number of the next ending of a notice: one that may have been told has used up its own, also where we died before
that was noted. For the values of an update, in which the state is that of before."""

refusals = Table(
    "refusals",
    metadata,
    Column("reader", String(60), primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("at", Instant, nullable=False),
)
"""Readers who want no optional mail, or whose address bounced; a reader is a code, never an address."""


_TELLS_NOTHING = update(notices).where(
    notices.c.told == 0, notices.c.state.in_(TOLD), notices.c.step.in_(UNTOLD)
)
"""Letters that a ledger of an earlier version asks about for ever, whenever it looks for what is to be told."""


def prepare(connection: Connection) -> None:
    """Create what is missing: tables, indexes, and the columns that a ledger of an earlier version lacks."""
    if inspect(connection).has_table(notices.name):
        known = {column["name"] for column in inspect(connection).get_columns(notices.name)}
        for column in notices.columns:
            if column.name not in known:
                words = CreateColumn(column).compile(dialect=connection.dialect)
                connection.execute(text(f"ALTER TABLE {notices.name} ADD COLUMN {words}"))
    metadata.create_all(connection)
    for index in notices.indexes:
        index.create(connection, checkfirst=True)
    connection.execute(_TELLS_NOTHING.values(told=1))
