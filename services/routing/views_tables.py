"""The tables of routing's read model; everything in them can be rebuilt from the streams."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, and_

from services.runtime.database import Instant

metadata = MetaData()
cases = Table(
    "cases",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("report_id", String(36), nullable=False, index=True),
    Column("ticket", String(40), nullable=False, index=True),
    Column("region", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("event", Text, nullable=False),
)
case_reports = Table(
    "case_reports",
    metadata,
    Column("report_id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False),
    Column("ticket", String(40), nullable=False, index=True),
    Column("at", Instant, nullable=False),
)
Index("case_reports_told", case_reports.c.case_id, case_reports.c.at, case_reports.c.report_id)
offers = Table(
    "offers",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("agency", String(20), primary_key=True),
    Column("person", String(8), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
)
inbox = Table(
    "inbox",
    metadata,
    Column("agency", String(20), primary_key=True),
    Column("office", String(20), primary_key=True),
    Column("role", String(12), primary_key=True),
    Column("case_id", String(36), primary_key=True),
    Column("ref", String(8), primary_key=True),
    Column("region", String(40), nullable=False),
    Column("state", String(32), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("due_at", Instant),
)
Index("inbox_case", inbox.c.case_id, inbox.c.agency, inbox.c.office)
Index("inbox_newest", inbox.c.agency, inbox.c.opened_at, inbox.c.case_id)
Index("inbox_office", inbox.c.agency, inbox.c.office, inbox.c.opened_at, inbox.c.case_id)
Index("inbox_state", inbox.c.agency, inbox.c.state, inbox.c.opened_at, inbox.c.case_id)
Index("inbox_updated", inbox.c.agency, inbox.c.updated_at, inbox.c.case_id)
Index("inbox_due", inbox.c.agency, inbox.c.due_at, inbox.c.case_id)
notices = Table(
    "notices",
    metadata,
    Column("notice_id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False),
    Column("at", Instant, nullable=False),
    Column("step", String(12), nullable=False),
    Column("audience", String(12), nullable=False),
    Column("agency", String(20)),
    Column("office", String(20)),
    Column("outcome", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
)
Index("notices_told", notices.c.case_id, notices.c.at, notices.c.notice_id)
positions = Table(
    "positions",
    metadata,
    Column("stream", String(20), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
versions = Table(
    "versions",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
)
matters = Table(
    "matters",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("ref", String(8), primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("region", String(40), nullable=False),
    Column("state", String(32), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("class", String(20), nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("owner", String(20)),
    Column("office", String(20)),
    Column("why", String(80)),
    Column("since", Instant, nullable=False),
    Column("quarter_at", Instant),
    Column("remind_at", Instant),
    Column("over_at", Instant),
    Column("late", Boolean, nullable=False),
    Column("matter", Text, nullable=False),
)
"""`quarter_at`, `remind_at` and `over_at` are of the owner's time limit; `late`: a limit was said to be over."""
_LONGEST = (matters.c.since, matters.c.case_id, matters.c.ref)
Index("matters_open", matters.c.closed, *_LONGEST)
Index("matters_owner", matters.c.closed, matters.c.owner, *_LONGEST)
Index("matters_state", matters.c.closed, matters.c.state, *_LONGEST)
Index("matters_owner_state", matters.c.closed, matters.c.owner, matters.c.state, *_LONGEST)
_ORPHANS = and_(matters.c.closed.is_(False), matters.c.owner.is_(None))
Index("matters_orphans", *_LONGEST, sqlite_where=_ORPHANS, postgresql_where=_ORPHANS)
"""Always empty: without it PostgreSQL looks for orphans among all that is open."""
Index("matters_late", matters.c.closed, matters.c.late, *_LONGEST)
Index("matters_owner_late", matters.c.closed, matters.c.owner, matters.c.late, *_LONGEST)
steps = Table(
    "steps",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("sealed", Boolean, nullable=False),
    Column("event", Text, nullable=False),
)
Index("steps_sealed", steps.c.sealed, steps.c.at)
timers = Table(
    "timers",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("ref", String(8), primary_key=True),
    Column("agency", String(20), primary_key=True),
    Column("last_day", String(10), primary_key=True),
    Column("level", String(10), primary_key=True),
    Column("office", String(20)),
    Column("at", Instant, nullable=False),
    Column("fired", Boolean, nullable=False),
)
Index("timers_next", timers.c.fired, timers.c.at, *(c for c in timers.primary_key))
spoken = Table(
    "spoken",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("ref", String(8), primary_key=True),
    Column("agency", String(20), primary_key=True),
    Column("last_day", String(10), primary_key=True),
    Column("level", String(10), primary_key=True),
)
"""The limits that were said, also of timers that do not run now or are not known yet."""
tallies = Table(
    "tallies",
    metadata,
    Column("owner", String(20), primary_key=True),
    Column("state", String(32), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("class", String(20), primary_key=True),
    Column("province", String(2), primary_key=True),
    Column("persons", Integer, nullable=False),
    Column("cases", Integer, nullable=False),
)
overlaps = Table(
    "overlaps",
    metadata,
    Column("owner", String(20), primary_key=True),
    Column("state", String(32), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("class", String(20), primary_key=True),
    Column("province", String(2), primary_key=True),
    Column("cases", Integer, nullable=False),
)
"""How often cases with persons in several cells are counted too much in a sum of cells; `*` is a dimension not asked for."""
waits = Table(
    "waits",
    metadata,
    Column("owner", String(20), primary_key=True),
    Column("state", String(32), primary_key=True),
    Column("mark", String(12), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("persons", Integer, nullable=False),
)
"""Open matters by since when they wait, and by when parts of their time limit are over."""
links = Table(
    "links",
    metadata,
    Column("case_id", String(36), primary_key=True),
    Column("root", String(36), nullable=False, index=True),
    Column("meant", String(36), nullable=False, index=True),
)
matches = Table(
    "matches",
    metadata,
    Column("match_id", String(36), primary_key=True),
    Column("report_id", String(36), primary_key=True),
    Column("case_id", String(36), nullable=False, index=True),
    Column("ticket", String(40), nullable=False),
    Column("other_report", String(36), nullable=False),
    Column("other_case", String(36), nullable=False),
    Column("other_ticket", String(40), nullable=False),
    Column("score", Float, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("matches_oldest", matches.c.at, matches.c.match_id)
match_answers = Table(
    "match_answers",
    metadata,
    Column("match_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("answer", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
)
