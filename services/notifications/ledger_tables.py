"""The ledger's table."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Dialect, Index, Integer, MetaData, String, Table
from sqlalchemy.types import TypeDecorator


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
    Column("message_id", String(200), nullable=False),
    Column("root", String(200), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("doubts", Integer, nullable=False),
    Column("next_attempt_at", Instant),
    Column("lease_until", Instant),
    Column("last_answer_class", String(40)),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("told", Integer, nullable=False),
    Column("traceparent", String(60)),
)
Index("notices_due", notices.c.state, notices.c.next_attempt_at)
Index("notices_untold", notices.c.told, notices.c.state)
