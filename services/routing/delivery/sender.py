"""Sends what is due. Each agency has its own slots and connections, so none waits for another; none waits for a decision."""

import asyncio
from collections import Counter
from contextlib import suppress

from opentelemetry.trace import Link, SpanKind, use_span
from sqlalchemy.exc import SQLAlchemyError

from contracts.receiver.signing import signed
from contracts.webhooks import EndpointChangedData
from services.routing.core.deliveries import Outcome, Verdict
from services.routing.delivery.claims import Attempt, Claim, Claims
from services.routing.delivery.poster import CONNECTIONS, Poster
from services.routing.delivery.signing_keys import EndpointKeys
from services.runtime.clock import Clock
from services.runtime.ending import ended
from services.runtime.logs import log, where
from services.runtime.metrics import Counted, Timed
from services.runtime.spans import OLD
from services.runtime.telemetry import (
    Telemetry,
    child_of,
    instruments_of,
    mark_failed,
    sender_of,
    tracer_of,
)

OF_AGENCY = CONNECTIONS
OF_ENDPOINT = 8
"""Deliveries on their way at once, of one agency and of one of its endpoints."""
IDLE = 1.0
"""Seconds between looks at the queue when nothing happens."""
MESSAGE = {"content-type": "application/cloudevents+json; charset=utf-8"}


class Sender:
    """The loop between the queue and the receivers; set `due` when something may be due."""

    def __init__(
        self, claims: Claims, poster: Poster, keys: EndpointKeys, clock: Clock, telemetry: Telemetry | None
    ) -> None:
        self._claims, self._poster, self._keys, self._clock = claims, poster, keys, clock
        self._tracer, self._instruments = tracer_of(telemetry), instruments_of(telemetry)
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.due = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled; a database that is away is waited for."""
        while True:
            self.due.clear()
            try:
                begun = await self.begin()
            except SQLAlchemyError as trouble:
                log("deliveries.waiting", level="WARNING", error=type(trouble).__name__)
                begun = 0
                await asyncio.sleep(IDLE)
            if not begun:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.due.wait(), IDLE)

    async def begin(self) -> int:
        """Begin what is due and has room; how many. It never waits for a receiver. Raises SQLAlchemyError."""
        claims = await self._claims.take(self._room)
        for claim in claims:
            for slot in _slots(claim.endpoint):
                self._busy[slot] += 1
            task = asyncio.create_task(self._one(claim))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claims)

    async def settle(self) -> None:
        """Wait until nothing is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, seconds: float) -> None:
        """Let what is on its way finish for at most `seconds`; the rest is sent again, under the same id."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.settle(), seconds)
        await ended(self._tasks)

    def _room(self, endpoint: EndpointChangedData) -> int:
        agency, own = _slots(endpoint)
        return min(OF_AGENCY - self._busy[agency], OF_ENDPOINT - self._busy[own])

    async def _one(self, claim: Claim) -> None:
        try:
            started = self._clock()
            outcome = await self._traced(claim)
            taken = (self._clock() - started).total_seconds()
            await self._record(Attempt(claim, outcome, self._clock(), round(taken * 1000)))
            self._measure(claim, outcome, taken)
        except (
            Exception
        ) as trouble:  # one delivery that cannot be sent must not end the others; its lease runs out
            log("delivery.failed", level="ERROR", error=type(trouble).__name__, where=where(trouble))
        finally:
            for slot in _slots(claim.endpoint):
                self._busy[slot] -= 1
            self.due.set()

    async def _record(self, attempt: Attempt) -> None:
        """Write it down, for as long as that takes: what is not written down is sent again."""
        while True:
            try:
                await self._claims.record(attempt)
            except SQLAlchemyError as trouble:
                log("deliveries.waiting", level="WARNING", error=type(trouble).__name__)
                await asyncio.sleep(IDLE)
            else:
                return

    async def _traced(self, claim: Claim) -> Outcome:
        """One try under its span: a child of the handling that queued it, or linked to it when that is long ago."""
        sender = sender_of({"traceparent": claim.traceparent or ""})
        fresh = self._clock() - claim.told_at < OLD
        span = self._tracer.start_span(
            "POST webhook",
            context=child_of(sender if fresh else None),
            kind=SpanKind.CLIENT,
            links=[Link(sender, {"netral.link.reason": "created_long_ago"})] if sender and not fresh else [],
            attributes={
                "http.request.method": "POST",
                "netral.agency": claim.endpoint.agency.value,
                "netral.case.id": claim.case_id,
            },
        )
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            outcome = await self._post(claim)
            span.set_attribute("netral.outcome", outcome.verdict.value)
            if outcome.verdict is not Verdict.DELIVERED:
                mark_failed(span, outcome.code)
        return outcome

    async def _post(self, claim: Claim) -> Outcome:
        now, endpoint = self._clock(), claim.endpoint
        headers = {
            **MESSAGE,
            **({"traceparent": claim.traceparent} if claim.traceparent else {}),
            "idempotency-key": claim.delivery_id,
            "netral-attempt": str(claim.tries),
            **signed(self._keys.valid(endpoint, now), claim.delivery_id, now, claim.body),
        }
        return (await self._poster.post(endpoint.agency, endpoint.url, headers, claim.body)).outcome

    def _measure(self, claim: Claim, outcome: Outcome, seconds: float) -> None:
        agency, verdict = claim.endpoint.agency.value, outcome.verdict.value.lower()
        self._instruments.count(Counted.WEBHOOKS, agency=agency, outcome=verdict)
        self._instruments.time(Timed.HTTP_CALLED, seconds, agency=agency, outcome=verdict)
        if outcome.verdict is Verdict.DELIVERED:
            age = (self._clock() - claim.told_at).total_seconds()
            self._instruments.time(Timed.PUSHED, age, agency=agency)
        log(
            "delivery.tried",
            level="INFO" if outcome.verdict is Verdict.DELIVERED else "WARNING",
            delivery_id=claim.delivery_id,
            case_id=claim.case_id,
            agency=agency,
            endpoint_id=str(claim.endpoint.endpoint_id),
            outcome=verdict,
            answer=outcome.code,
            attempt=claim.tries,
            probe=claim.probe or None,
        )


def _slots(endpoint: EndpointChangedData) -> tuple[str, str]:
    return endpoint.agency.value, str(endpoint.endpoint_id)
