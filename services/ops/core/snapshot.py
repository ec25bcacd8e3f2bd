"""What the ops page knows at one moment, and what it concludes from it. Pure: a snapshot and its verdicts run on paper."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.ops.core.objectives import FAILED_SHARE, FAST, OBJECTIVES, Share

LAG_SECONDS = 30.0
"""A durable with work waits this long without finishing anything before it counts as stalled."""
STORAGE_SHARE = 0.8
VAIN_TRIES = 3
"""One address that is refused is nobody's trouble; three tries without one success are the server's."""
MATCHES_WAIT = timedelta(days=5)
"""As long as the operator's queue may wait: three working days (`limits.QUEUE_DAYS`), with the weekend between."""


@dataclass(frozen=True)
class Durable:
    """A durable consumer as the broker sees it; `moved_at` is when it last finished something while it had work."""

    stream: str
    name: str
    pending: int
    unacknowledged: int
    redelivered: int
    delivered: int
    moved_at: datetime


@dataclass(frozen=True)
class Stream:
    name: str
    messages: int
    bytes: int
    first_at: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """`services` holds the reasons why each is not ready ('' when it is); `ageing` is routing's answer; instants are UTC."""

    at: datetime
    services: Mapping[str, str] = field(default_factory=dict)
    broker: str = ""
    """Why no server of the broker answers; '' while one does."""
    servers_away: tuple[str, ...] = ()
    """Servers of a cluster that do not answer while others do."""
    streams: tuple[Stream, ...] = ()
    durables: tuple[Durable, ...] = ()
    lacking: tuple[str, ...] = ()
    """Streams and durables of the topology table that a broker which answers does not have."""
    storage_share: float = 0.0
    ageing: tuple[Mapping[str, Any], ...] = ()
    orphans: int = 0
    matches_since: datetime | None = None
    """Since when the oldest pair of reports that may tell of one event waits for a person; None if none does."""
    webhooks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What a human must see to at the endpoints of each agency that has some."""
    in_vain: int = 0
    """Tries of e-mails since the last one that left."""
    late: Mapping[str, Share] = field(default_factory=dict)
    """Of each objective: what came too late in the ten minutes that are remembered."""
    failed: Mapping[str, Share] = field(default_factory=dict)
    """Of each route of a door: what was answered with 5xx in these ten minutes."""
    apart: tuple[str, ...] = ()
    """Which of vault and stream lacked a report of the samples that are remembered."""
    totals: Mapping[str, float] = field(default_factory=dict)
    blind: tuple[str, ...] = ()
    """What could not be looked at although it answers: its verdicts are missing here."""


@dataclass(frozen=True)
class Verdict:
    """Something that is wrong; `alert` is the name of the Prometheus alert and of the runbook."""

    alert: str
    page: bool
    id: str
    en: str


def verdicts(now: Snapshot) -> list[Verdict]:
    """What is wrong, the worst first; the broker before those who wait for it."""
    looked = (_broker, _blind, _services, _durables, _apart, _cases, _late, _doors, _webhooks, _mails)
    found = [verdict for look in looked for verdict in look(now)]
    return sorted(found, key=lambda verdict: not verdict.page)


def _blind(now: Snapshot) -> Iterator[Verdict]:
    if now.blind:
        what = "; ".join(now.blind)
        yield Verdict("OpsBlind", True, f"tidak dapat dilihat: {what}", f"cannot be looked at: {what}")


def _services(now: Snapshot) -> Iterator[Verdict]:
    for name, reasons in now.services.items():
        if reasons:
            yield Verdict(
                "ServiceNotReady", True, f"{name} belum siap: {reasons}", f"{name} is not ready: {reasons}"
            )


def _broker(now: Snapshot) -> Iterator[Verdict]:
    if now.broker:
        yield Verdict(
            "BrokerAway",
            True,
            f"NATS tidak menjawab: {now.broker}",
            f"the broker does not answer: {now.broker}",
        )
    if now.servers_away:
        which = "; ".join(now.servers_away)
        yield Verdict(
            "BrokerAway",
            False,
            f"sebagian server NATS tidak menjawab: {which}",
            f"some servers of the broker do not answer, the others go on: {which}",
        )
    if now.storage_share > STORAGE_SHARE:
        share = f"{now.storage_share:.0%}"
        yield Verdict(
            "JetStreamStorage",
            True,
            f"penyimpanan JetStream terisi {share}",
            f"JetStream's storage is {share} full",
        )
    for stream in now.streams:
        if stream.name == "PARKED" and stream.messages:
            hari, days = _ages(now.at, stream.first_at)
            yield Verdict(
                "MessagesParked",
                False,
                f"{stream.messages} pesan disisihkan, tertua {hari}",
                f"{stream.messages} messages are parked, the oldest for {days}",
            )


def _durables(now: Snapshot) -> Iterator[Verdict]:
    if now.lacking:
        what = ", ".join(now.lacking)
        yield Verdict(
            "NotProvisioned", True, f"tidak ada di NATS: {what}", f"not there at the broker: {what}"
        )
    for durable in now.durables:
        still = (now.at - durable.moved_at).total_seconds()
        if (durable.pending or durable.unacknowledged) and still > LAG_SECONDS:
            waiting = durable.pending + durable.unacknowledged
            yield Verdict(
                "ConsumerStalled",
                True,
                f"{durable.name} berhenti: {waiting} pesan menunggu, {still:.0f} detik tanpa kemajuan",
                f"{durable.name} stands still: {waiting} messages wait, nothing done for {still:.0f} s",
            )


def _apart(now: Snapshot) -> Iterator[Verdict]:
    for where in now.apart:
        said = f"laporan yang diterima hilang dari {where}", f"accepted reports are not in the {where}"
        yield Verdict("ReportsApart", True, *said)


def _cases(now: Snapshot) -> Iterator[Verdict]:
    if now.orphans:
        yield Verdict(
            "CasesWithoutOwner",
            True,
            f"{now.orphans} perkara tanpa pemilik",
            f"{now.orphans} cases have no owner",
        )
    if now.matches_since and now.at - now.matches_since > MATCHES_WAIT:
        hari, days = _ages(now.at, now.matches_since)
        yield Verdict(
            "MatchesWaiting",
            False,
            f"pasangan laporan serupa belum dijawab, tertua {hari}",
            f"pairs of reports that may be one event are not answered, the oldest for {days}",
        )
    for row in now.ageing:
        if row.get("overdue"):
            yield Verdict(
                "LimitsOverdue",
                False,
                f"{row['owner']}: {_shown(row['overdue'], 'beberapa')} lewat batas waktu",
                f"{row['owner']}: {_shown(row['overdue'], 'some')} over their limit",
            )


def _late(now: Snapshot) -> Iterator[Verdict]:
    for it in OBJECTIVES:
        share = now.late.get(it.name, Share(0, 0))
        if share.over(FAST * (1 - it.target)):
            yield Verdict(
                it.name,
                True,
                f"{share.part} dari {share.whole} {it.id} (10 menit terakhir)",
                f"{share.part} of {share.whole} {it.en} (last 10 minutes)",
            )


def _doors(now: Snapshot) -> Iterator[Verdict]:
    for route, share in now.failed.items():
        if share.over(FAILED_SHARE):
            yield Verdict(
                "DoorErrors",
                True,
                f"{share.part} dari {share.whole} permintaan ke {route} gagal (10 menit terakhir)",
                f"{share.part} of {share.whole} requests to {route} failed (last 10 minutes)",
            )


def _webhooks(now: Snapshot) -> Iterator[Verdict]:
    for agency, alarms in now.webhooks.items():
        if alarms:
            said = ", ".join(sorted(alarms))
            yield Verdict(
                "WebhookFailing",
                False,
                f"{agency}: webhook perlu ditangani ({said})",
                f"{agency}: see to its webhooks ({said})",
            )


def _mails(now: Snapshot) -> Iterator[Verdict]:
    if now.in_vain >= VAIN_TRIES:
        yield Verdict(
            "MailFailing",
            False,
            f"surel tidak terkirim: {now.in_vain} percobaan gagal berturut-turut",
            f"no mail leaves: {now.in_vain} tries in a row failed",
        )


def _shown(count: object, hidden: str) -> str:
    """A number, or the word for one that is hidden because it would point at a person."""
    return str(count) if isinstance(count, int) else hidden


def _ages(now: datetime, since: datetime | None) -> tuple[str, str]:
    """How long something waits, in Indonesian and in English."""
    hours = (now - since).total_seconds() / 3600 if since else 0.0
    if hours < 48:
        return f"{hours:.1f} jam", f"{hours:.1f} hours"
    return f"{hours / 24:.1f} hari", f"{hours / 24:.1f} days"


def next_durable(before: Mapping[str, Durable], found: Durable) -> Durable:
    """The durable with the instant it last moved: when it finished something, or has nothing to do."""
    earlier = before.get(found.name)
    idle = not found.pending and not found.unacknowledged
    if earlier is None or idle or earlier.delivered != found.delivered or _less(found, earlier):
        return found
    return Durable(**{**found.__dict__, "moved_at": earlier.moved_at})


def _less(found: Durable, earlier: Durable) -> bool:
    return found.pending + found.unacknowledged < earlier.pending + earlier.unacknowledged
