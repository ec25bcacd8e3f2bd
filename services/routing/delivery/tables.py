"""The tables of push: endpoints, their health, what is queued for them, every attempt, and alarms not told yet."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

from services.runtime.database import Instant

metadata = MetaData()
endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint_id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("agency", String(20), nullable=False, index=True),
    Column("office", String(20)),
    Column("state", String(12), nullable=False),
    Column("proved_at", Instant),
    Column("event", Text, nullable=False),
)
health = Table(
    "health",
    metadata,
    Column("endpoint_id", String(36), primary_key=True),
    Column("document", Text, nullable=False),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", String(36), primary_key=True),
    Column("endpoint_id", String(36), nullable=False),
    Column("agency", String(20), nullable=False),
    Column("office", String(20)),
    Column("case_id", String(36), nullable=False, index=True),
    Column("event_id", String(36), nullable=False),
    Column("type", String(60), nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("state", String(10), nullable=False),
    Column("spent", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("outcome", String(20)),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("handled", String(12)),
    Column("handled_at", Instant),
    Column("sealed", Text),
    Column("body", Text, nullable=False),
    Column("traceparent", String(60)),
)
Index("deliveries_due", deliveries.c.endpoint_id, deliveries.c.state, deliveries.c.next_attempt_at)
Index("deliveries_leased", deliveries.c.state, deliveries.c.lease_until)
Index("deliveries_of", deliveries.c.agency, deliveries.c.created_at, deliveries.c.delivery_id)
Index("deliveries_in", deliveries.c.state, deliveries.c.created_at, deliveries.c.delivery_id)
attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("code", String(20), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("probe", Boolean, nullable=False),
)
alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", String(36), primary_key=True),
    Column("endpoint_id", String(36), nullable=False, index=True),
    Column("alarm", String(12), nullable=False),
    Column("since", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("told", Boolean, nullable=False),
)
Index("alarms_untold", alarms.c.told)
replays = Table(
    "replays",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("number", Integer, nullable=False),
)
positions = Table(
    "positions",
    metadata,
    Column("stream", String(20), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
