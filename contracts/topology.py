"""Every stream and durable consumer, in one table. `deploy.streams` applies it; services only bind to it.

Each stream refuses new messages when full (`discard new`), so nothing acknowledged is ever dropped to make room; the broker
allows that setting for no stream with schedules, so TIMERS has no limit of its own instead.
"""

from dataclasses import dataclass

from contracts.agency_events import STREAM, office_token

DAY = 86_400


@dataclass(frozen=True)
class Stream:
    """`max_age` and `duplicate_window` are seconds (0: for ever); `max_bytes` is -1 for no limit of its own.

    `schedules` allows message schedules. They switch rollups on: whoever may publish to such a stream may empty it.
    """

    name: str
    subjects: tuple[str, ...]
    max_age: int = 0
    duplicate_window: int = 3600
    atomic: bool = True
    deletable: bool = False
    max_bytes: int = -1
    schedules: bool = False


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer. `ack_wait` is seconds; `max_deliver` bounds how often a message is tried.

    What waits for a database is tried every five seconds: ten thousand tries are an outage of half a day.
    """

    name: str
    stream: str
    filters: tuple[str, ...]
    service: str
    ack_wait: int = 30
    max_ack_pending: int = 1000
    max_deliver: int = 10_000


STREAMS = (
    Stream("REPORTS", ("reports.*.accepted", "reports.*.resembles")),
    Stream("CASES", ("cases.>",)),
    Stream("RULEBOOKS", ("rulebooks.*",)),
    Stream("CALENDARS", ("calendars.*",)),
    Stream("AGENCIES", ("agencies.>",)),
    Stream("NOTICES", ("notices.*.*",)),
    Stream("TOLD", ("told.>",)),
    Stream("TIMERS", ("timer.>", "due.>"), schedules=True),
    Stream("WEBHOOKS", ("webhooks.>",)),
    Stream("PARKED", ("parked.>",), atomic=False, deletable=True),
    Stream(
        "ADVISORIES",
        ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"),
        max_age=30 * DAY,
        atomic=False,
        deletable=True,
    ),
)

TOLD_GROUP = 100
"""Nobody gets more before these are told, so events of a case keep their order with several workers too."""

CONSUMERS = (
    Consumer("intake-matching", "REPORTS", ("reports.*.accepted",), "intake"),
    Consumer("routing", "REPORTS", ("reports.*.accepted",), "routing"),
    Consumer("routing-resembles", "REPORTS", ("reports.*.resembles",), "routing"),
    Consumer("routing-projection", "CASES", ("cases.>",), "routing"),
    Consumer(
        "routing-agencies",
        "CASES",
        ("cases.*.decided", "cases.*.step.*", "cases.*.due.>"),
        "routing",
        max_ack_pending=TOLD_GROUP,
    ),
    Consumer("routing-deliveries", "TOLD", ("told.>",), "routing"),
    Consumer("routing-notices", "NOTICES", ("notices.*.*",), "routing"),
    Consumer("routing-timers", "TIMERS", ("due.>",), "routing"),
    Consumer("routing-advisories", "ADVISORIES", ("$JS.EVENT.ADVISORY.CONSUMER.>",), "routing"),
    Consumer("notifications-received", "REPORTS", ("reports.*.accepted",), "notifications"),
    Consumer("notifications-offered", "CASES", ("cases.*.offered.>",), "notifications"),
    Consumer("notifications-decided", "CASES", ("cases.*.decided",), "notifications"),
    Consumer("notifications-linked", "CASES", ("cases.*.reports.*",), "notifications"),
    Consumer("notifications-stepped", "CASES", ("cases.*.step.*",), "notifications"),
    Consumer("notifications-due", "CASES", ("cases.*.due.>",), "notifications"),
    Consumer("notifications-webhooks", "WEBHOOKS", ("webhooks.*.alarm.*",), "notifications"),
)


def agency_consumer(agency: str, office: str | None = None) -> Consumer:
    """The durable of an agency (all its offices) or of one office; the only one its identity may read.

    Nothing is given up: what it does not acknowledge comes again, and delays nobody but itself.
    """
    token = office_token(office) if office else "*"
    name = f"{agency}-{token}" if office else str(agency)
    return Consumer(name, STREAM, (f"told.{agency}.{token}.>",), "agencies", 60, 500, -1)


PUBLISHES: dict[str, tuple[str, ...]] = {
    "intake": ("reports.*.accepted", "reports.*.resembles", "parked.REPORTS.intake-matching.*"),
    "routing": (
        "cases.>",
        "told.>",
        "webhooks.>",
        "rulebooks.*",
        "calendars.*",
        "agencies.>",
        "timer.>",
        "parked.>",
    ),
    "notifications": ("notices.*.*", "parked.>"),
}
"""The subjects each service may publish to; the broker's permissions are made from this."""

TEMPLATES = (
    "reports.{report_id}.accepted",
    "reports.{report_id}.resembles",
    "cases.{case_id}.decided",
    "cases.{case_id}.offered.{agency}.{ref}",
    "cases.{case_id}.offered.{agency}.{ref}.{step}",
    "cases.{case_id}.step.{number}",
    "cases.{case_id}.due.{ref}.{agency}.{day}.{level}",
    "cases.{case_id}.waiting.{ref}.{day}",
    "cases.{case_id}.unroutable",
    "cases.{case_id}.reports.{report_id}",
    "cases.{case_id}.match.{match_id}.{number}",
    "told.{agency}.{office}.{case_id}.offered.{number}",
    "told.{agency}.{office}.{case_id}.stepped.{number}",
    "told.{agency}.{office}.{case_id}.due.{ref}.{day}.{level}",
    "webhooks.{endpoint_id}.{number}",
    "webhooks.{endpoint_id}.alarm.{alarm_id}",
    "rulebooks.{number}",
    "calendars.{number}",
    "agencies.{agency}.{office}.{version}",
    "agencies.{agency}.keys.{key_id}.{version}",
    "notices.{case_id}.{notice_id}",
    "timer.{case_id}.{ref}.{agency}.{day}.{level}",
    "due.{case_id}.{ref}.{agency}.{day}.{level}",
    "parked.{stream}.{consumer}.{seq}",
)


def template_of(subject: str) -> str:
    """The low-cardinality name of a subject, for spans and metrics: `cases.{case_id}.decided`."""
    parts = subject.split(".")
    for name, words in _ALIKE.get((parts[0], len(parts)), ()):
        if all([parts[place] == word for place, word in words]):
            return name
    return parts[0] + ".…"


def stream_of(subject: str) -> str:
    """The stream that stores a subject of ours. Raises KeyError for a subject that is not in the table."""
    head = subject.split(".", 1)[0]
    return _STREAM_OF[head]


_STREAM_OF = {
    "reports": "REPORTS",
    "cases": "CASES",
    "told": "TOLD",
    "webhooks": "WEBHOOKS",
    "rulebooks": "RULEBOOKS",
    "calendars": "CALENDARS",
    "agencies": "AGENCIES",
    "notices": "NOTICES",
    "timer": "TIMERS",
    "due": "TIMERS",
    "parked": "PARKED",
}


_ALIKE: dict[tuple[str, int], list[tuple[str, list[tuple[int, str]]]]] = {}
"""Templates by their head and length, each with its other words and their places."""
for _template in TEMPLATES:
    _parts = _template.split(".")
    _words = [(place, part) for place, part in enumerate(_parts) if place and not part.startswith("{")]
    _ALIKE.setdefault((_parts[0], len(_parts)), []).append((_template, _words))
