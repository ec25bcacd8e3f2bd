"""The vault's table."""

from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, String, Table, Text

STORED = "stored"
"""In the vault, the broker has not acknowledged yet (or its acknowledgement was not noted)."""
ACCEPTED = "accepted"

metadata = MetaData()
reports = Table(
    "reports",
    metadata,
    Column("report_id", String(36), primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("body_mac", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("dossier", LargeBinary, nullable=False),
    Column("dossier_key", LargeBinary),
    Column("reporter", LargeBinary, nullable=False),
    Column("reporter_key", LargeBinary),
    Column("key_id", String(8), nullable=False),
)
Index(
    "reports_waiting",
    reports.c.received_at,
    sqlite_where=reports.c.state == STORED,
    postgresql_where=reports.c.state == STORED,
)
