"""The tables of routing's read model; everything in them can be rebuilt from the streams."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
cases = Table(
    "cases",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("report_id", String(36), nullable=False, index=True),
    Column("ticket", String(40), nullable=False, index=True),
    Column("region", String(40), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
)
unroutable = Table(
    "unroutable",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("persons", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
offers = Table(
    "offers",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("agency", String(20), primary_key=True),
    Column("person", String(8), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
)
inbox = Table(
    "inbox",
    metadata,
    Column("agency", String(20), primary_key=True),
    Column("office", String(20), primary_key=True),
    Column("role", String(12), primary_key=True),
    Column("case_id", String(36), primary_key=True),
    Column("opened_at", DateTime(timezone=True), nullable=False),
)
Index("inbox_newest", inbox.c.agency, inbox.c.opened_at, inbox.c.case_id)
notices = Table(
    "notices",
    metadata,
    Column("notice_id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("step", String(12), nullable=False),
    Column("audience", String(12), nullable=False),
    Column("agency", String(20)),
    Column("office", String(20)),
    Column("outcome", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
)
agency_keys = Table(
    "agency_keys",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("agency", String(20), nullable=False),
    Column("office", String(20)),
    Column("revoked", Boolean, nullable=False, default=False),
)
positions = Table(
    "positions",
    metadata,
    Column("stream", String(20), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
