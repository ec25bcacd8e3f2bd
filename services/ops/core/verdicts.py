"""What the ops page concludes from what it knows at one moment. Pure: a snapshot and its verdicts run on paper."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ops.core.objectives import FAILED_SHARE, FAST, OBJECTIVES, Share
from services.ops.core.snapshot import Snapshot

LAG_SECONDS = 30.0
"""A durable with work waits this long without finishing anything before it counts as stalled."""
STORAGE_SHARE = 0.8
VAIN_TRIES = 3
"""One address that is refused is nobody's trouble; three tries without one success are the server's."""
MATCHES_WAIT = timedelta(days=5)
"""As long as the operator's queue may wait: three working days (`limits.QUEUE_DAYS`), with the weekend between."""


@dataclass(frozen=True)
class Verdict:
    """Something that is wrong; `alert` is the name of the Prometheus alert and of the runbook."""

    alert: str
    page: bool
    id: str
    en: str


def verdicts(now: Snapshot) -> list[Verdict]:
    """What is wrong, the worst first; the broker before those who wait for it."""
    looked = (_broker, _blind, _services, _durables, _apart, _lost, _cases, _late, _doors, _webhooks, _mails)
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
    if now.servers_ill:
        what = "; ".join(now.servers_ill)
        said = f"NATS menjawab, tetapi rusak: {what}", f"the broker answers and is not well: {what}"
        yield Verdict("BrokerUnwell", True, *said)
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
        if durable.ours and (durable.pending or durable.unacknowledged) and still > LAG_SECONDS:
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


def _lost(now: Snapshot) -> Iterator[Verdict]:
    if now.lost:
        what = ", ".join(now.lost)
        said = f"yang pernah tersimpan hilang dari {what}", f"{what} lost what was stored"
        yield Verdict("StreamLost", True, *said)


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
