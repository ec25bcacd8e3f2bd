"""Sends what is due: claim, address, letter, SMTP, record. A mail server that is down means later, never lost."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from services.notifications.claiming import called_back
from services.notifications.commits import LedgerAway
from services.notifications.core.matrix import Matrix
from services.notifications.core.notices import State
from services.notifications.core.retries import Answer, Step, Verdict, after
from services.notifications.digests import gather
from services.notifications.gates import LONGEST_TURN, Gates
from services.notifications.ledger import LEASE, Ledger
from services.notifications.ledger_rows import Claim
from services.notifications.postman import Postman
from services.notifications.reply_addresses import NoAddress
from services.notifications.road import Road
from services.notifications.scribe import NoLetter, Scribe
from services.notifications.settings import NotificationsSettings
from services.notifications.tracing import Tracing
from services.runtime.clock import Clock
from services.runtime.logs import log, where
from services.runtime.metrics import Counted, Timed
from services.runtime.telemetry import Telemetry, instruments_of

CONCURRENCY = 4
CLAIM = 2 * CONCURRENCY
IDLE = 1.0
"""Seconds between looks at the ledger when nothing is due, and between tries while the server is away."""
LOOK_FOR_ABANDONED = timedelta(seconds=10)
_WARN = (Verdict.UNREACHED, Verdict.DELAYED, Verdict.DEFERRED, Verdict.THROTTLED, Verdict.UNCERTAIN)


class Sender:
    """The loop between the ledger and the mail server; `ended` is set whenever a notice became final."""

    renew_every = LEASE.total_seconds() / 4

    def __init__(
        self,
        ledger: Ledger,
        postman: Postman,
        scribe: Scribe,
        settings: NotificationsSettings,
        clock: Clock,
        matrix: Matrix,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._ledger = ledger
        self._postman = postman
        self._scribe = scribe
        self._gates = Gates(settings.mail_rate, settings.mail_at_once)
        self._hold = timedelta(seconds=settings.unknown_hold)
        self._clock = clock
        self._matrix = matrix
        self._tracing = Tracing(settings, telemetry)
        self._instruments = instruments_of(telemetry)
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._looked: datetime | None = None
        self._stopping = False
        self._rested = asyncio.Event()
        self._rested.set()
        self.road = Road(timedelta(minutes=settings.mail_alarm_after))
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
            await self.sweep()
            busy = await self.send_due() and self.road.open
        except Exception as trouble:  # the next round must come, whatever this one met
            log("sending.failed", level="ERROR", error=type(trouble).__name__, where=where(trouble))
            busy = False
            await asyncio.sleep(IDLE)
        if not busy:
            waiting = self.due.wait() if self.road.open else asyncio.sleep(IDLE)
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting, IDLE)

    async def send_due(self) -> int:
        """Try what is due, a bounded number at a time, and one alone while the server is away; how many."""
        now = self._clock()
        await gather(self._ledger, now, self._matrix.edition)
        claims = await self._ledger.claim(now, CLAIM if self.road.open else 1)
        renewing = asyncio.create_task(self._renew(claims))
        try:
            await asyncio.gather(*(self._one(claim) for claim in claims))
        finally:
            renewing.cancel()
        return len(claims)

    async def _renew(self, claims: list[Claim]) -> None:
        """Keep others away from what we are at work on, however slow the servers are."""
        while True:
            await asyncio.sleep(self.renew_every)
            with suppress(LedgerAway):  # what cannot be renewed now may be sent again, marked as a copy
                await self._ledger.renew(claims, self._clock())

    async def sweep(self) -> None:
        """Find what a dead process was sending; at the start, when the ledger is ours alone, at once.

        Every row that is not final has an owner: what waits is claimed when due, what was gathered ends with its
        digest, and what a dead process held is found here.
        """
        now = self._clock()
        if self._looked and abs(now - self._looked) < LOOK_FOR_ABANDONED:  # a clock may be set back
            return
        first = self._looked is None and self._ledger.exclusive
        found = await self._ledger.doubt_the_abandoned(now, self._hold, all_claims=first)
        await self._ledger.execute(called_back(now))
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
            answer = await self._tracing.of(claim, self._clock(), self._try(claim))
            now = self._clock()
            if answer is None:
                return
            step = after(answer, claim.tried, now, self._hold)
            await self._record(claim, step, now)
        _say(claim, answer, step)
        self._instruments.count(Counted.MAILS, outcome=step.state.value)
        if step.state is State.SENT:
            age = (now - claim.due_at).total_seconds()
            self._instruments.time(Timed.MAILED, age, agency=claim.notice.agency or "")
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

    async def _try(self, claim: Claim) -> Answer | None:
        """One try, or None if the mail gave its turn back because its reader's domain has enough for now."""
        try:
            post = await self._scribe.write(claim, self._clock())
        except (NoAddress, NoLetter) as missing:
            return missing.answer
        except LedgerAway:
            return Answer(Verdict.DELAYED, "ledger")
        now = self._clock()
        turn = self._gates.turn(post.domain, now)
        if turn - now > LONGEST_TURN:
            await self._ledger.give_back(claim, turn)
            return None
        if turn > now:
            await asyncio.sleep((turn - now).total_seconds())
        async with self._gates.through(post.domain):
            answer = await self._postman.deliver(post.to, post.message, post.sender)
        if answer.verdict is Verdict.THROTTLED:
            self._gates.slow_down(post.domain, self._clock())
        self.road.tried(self._clock(), reached=answer.verdict is not Verdict.UNREACHED)
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
        letter=notice.letter,
        agency=notice.agency,
        office=notice.office,
        state=step.state,
        answer=answer.code,
        attempts=claim.tried.attempts,
        possible_duplicate=claim.tried.doubts > 0 or None,
    )
