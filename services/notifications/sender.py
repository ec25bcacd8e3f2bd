"""Sends what is due: claim, address, letter, SMTP, record. A mail server that is down means later, never lost."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from opentelemetry.trace import Link, SpanKind, use_span

from services.notifications.commits import LedgerAway
from services.notifications.core.letters import Desk, Dispatch, letter
from services.notifications.core.notices import State
from services.notifications.core.retries import Answer, Step, Verdict, after
from services.notifications.ledger import Claim, Ledger
from services.notifications.postman import Postman
from services.notifications.reply_addresses import Addresses, NoAddress
from services.notifications.settings import NotificationsSettings
from services.runtime.clock import Clock
from services.runtime.logs import log, where
from services.runtime.spans import OLD
from services.runtime.telemetry import Telemetry, child_of, mark_failed, sender_of, tracer_of

CONCURRENCY = 4
CLAIM = 2 * CONCURRENCY
IDLE = 1.0
"""Seconds between looks at the ledger when nothing is due, and between tries while the server is away."""
LOOK_FOR_ABANDONED = timedelta(seconds=10)
_WARN = (Verdict.UNREACHED, Verdict.DELAYED, Verdict.DEFERRED, Verdict.UNCERTAIN)


class Sender:
    """The loop between the ledger and the mail server; `ended` is set whenever a notice became final."""

    def __init__(
        self,
        ledger: Ledger,
        postman: Postman,
        addresses: Addresses,
        settings: NotificationsSettings,
        clock: Clock,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._ledger = ledger
        self._postman = postman
        self._addresses = addresses
        self._desk = Desk(settings.mail_from, settings.public_address, settings.agency_address)
        self._server: dict[str, str | int] = {
            "server.address": settings.smtp_host,
            "server.port": settings.smtp_port,
        }
        self._hold = timedelta(seconds=settings.unknown_hold)
        self._clock = clock
        self._tracer = tracer_of(telemetry)
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._road_open = True
        self._looked: datetime | None = None
        self._stopping = False
        self._rested = asyncio.Event()
        self._rested.set()
        self.due = asyncio.Event()
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop`."""
        self._rested.clear()
        try:
            while not self._stopping:
                self.due.clear()
                await self._round()
        finally:
            self._rested.set()

    async def stop(self, seconds: float) -> None:
        """Let the mails being handed over finish, for at most `seconds`, and give back what was only claimed."""
        self._stopping = True
        self.due.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rested.wait(), seconds)

    async def _round(self) -> None:
        try:
            await self.doubt_the_abandoned()
            busy = await self.send_due() and self._road_open
        except Exception as trouble:  # the next round must come, whatever this one met
            log("sending.failed", level="ERROR", error=type(trouble).__name__, where=where(trouble))
            busy = False
            await asyncio.sleep(IDLE)
        if not busy:
            waiting = self.due.wait() if self._road_open else asyncio.sleep(IDLE)
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting, IDLE)

    async def send_due(self) -> int:
        """Try what is due, a bounded number at a time, and one alone while the server is away; how many."""
        claims = await self._ledger.claim(self._clock(), CLAIM if self._road_open else 1)
        await asyncio.gather(*(self._one(claim) for claim in claims))
        return len(claims)

    async def doubt_the_abandoned(self) -> None:
        """Find what a dead process was sending; at the start, when the ledger is ours alone, at once."""
        now = self._clock()
        if self._looked and now - self._looked < LOOK_FOR_ABANDONED:
            return
        first = self._looked is None and self._ledger.exclusive
        found = await self._ledger.doubt_the_abandoned(now, self._hold, all_claims=first)
        self._looked = now
        if found:
            log("notices.abandoned", level="WARNING", notices=found)

    async def _one(self, claim: Claim) -> None:
        async with (
            self._slots
        ):  # until it is written down: a crash leaves no more doubts than there are slots
            if self._stopping:
                await self._ledger.give_back(claim, self._clock())
                return
            answer = await self._try(claim)
            now = self._clock()
            step = after(answer, claim.tried, now, self._hold)
            await self._record(claim, step, now)
        _say(claim, answer, step)
        if step.next_attempt_at is None:
            self.ended.set()

    async def _record(self, claim: Claim, step: Step, now: datetime) -> None:
        """Write it down, for as long as that takes: a mail that is not written down is sent again."""
        while True:
            try:
                await self._ledger.finish(claim, step, now)
            except LedgerAway as trouble:
                log("ledger.awaited", level="WARNING", error=str(trouble))
                await asyncio.sleep(IDLE)
            else:
                return

    async def _try(self, claim: Claim) -> Answer:
        """One try under its span: a child of the handling that recorded the notice, or linked to it when old."""
        sender = sender_of({"traceparent": claim.traceparent or ""})
        fresh = self._clock() - claim.tried.created_at < OLD
        span = self._tracer.start_span(
            "SMTP send",
            context=child_of(sender if fresh else None),
            kind=SpanKind.CLIENT,
            links=[]
            if fresh or sender is None
            else [Link(sender, {"netral.link.reason": "created_long_ago"})],
            attributes={
                **self._server,
                "netral.notice.step": claim.notice.step.value,
                "netral.case.id": str(claim.notice.case_id),
                **({"netral.agency": claim.notice.agency.value} if claim.notice.agency else {}),
            },
        )
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            answer = await self._deliver(claim)
            span.set_attribute("netral.smtp.answer", answer.code)
            if answer.verdict not in (Verdict.ACCEPTED, Verdict.NOBODY):
                mark_failed(span, answer.code)
        return answer

    async def _deliver(self, claim: Claim) -> Answer:
        tried = claim.tried
        try:
            to = await self._addresses.of(claim.notice)
            dispatch = Dispatch(to, claim.message_id, claim.root, tried.created_at, doubtful=tried.doubts > 0)
            message = letter(claim.notice, dispatch, self._desk).as_bytes()
        except NoAddress as missing:
            return missing.answer
        except Exception as problem:  # a letter that cannot be written must not stop the others
            log("letter.failed", level="ERROR", error=type(problem).__name__, notice_id=tried.notice_id)
            return Answer(Verdict.REFUSED, "letter")
        answer = await self._postman.deliver(to, message)
        self._road_open = answer.verdict is not Verdict.UNREACHED
        return answer


def _say(claim: Claim, answer: Answer, step: Step) -> None:
    notice = claim.notice
    level = "WARNING" if answer.verdict in _WARN else "INFO"
    log(
        "notice.tried",
        level="ERROR" if step.state is State.FAILED else level,
        notice_id=notice.notice_id,
        case_id=notice.case_id,
        step=notice.step,
        agency=notice.agency,
        office=notice.office,
        state=step.state,
        answer=answer.code,
        attempts=claim.tried.attempts,
        possible_duplicate=claim.tried.doubts > 0 or None,
    )
