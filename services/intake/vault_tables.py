"""The vault's tables."""

from sqlalchemy import Column, Date, DateTime, Index, LargeBinary, MetaData, String, Table, Text

from services.runtime.database import Instant

STORED = "stored"
"""In the vault, the broker has not acknowledged yet (or its acknowledgement was not noted)."""
CLAIMED = "claimed"
"""Stored, and sent again since: another process may be telling it, so who stored it may not delete it any more."""
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
for _name, _state in (("reports_waiting", STORED), ("reports_claimed", CLAIMED)):
    Index(
        _name,
        reports.c.received_at,
        sqlite_where=reports.c.state == _state,
        postgresql_where=reports.c.state == _state,
    )
keys = Table(
    "keys",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("mark", String(64), nullable=False),
)
"""Hashes of the keys the vault was filled with (vault_keys.py)."""
match_keys = Table(
    "match_keys",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("case_id", String(36), primary_key=True),
    Column("report_id", String(36), nullable=False, index=True),
    Column("day", Date, nullable=False),
    Column("received_at", Instant, nullable=False),
)
"""What near matches share (core/blocking.py): of each case the first report that has a key."""
Index("match_keys_oldest", match_keys.c.key, match_keys.c.day, match_keys.c.received_at)
Index("match_keys_cases", match_keys.c.case_id, match_keys.c.received_at)
