"""What the bus says becomes notices: decide, judge, remember durably, and only then acknowledge."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from faststream.nats import NatsBroker, NatsMessage

from contracts.directory import Directory
from contracts.events import (
    CaseDecided,
    CaseDue,
    CaseOffered,
    CaseStepped,
    Event,
    ReportAccepted,
    ReportLinked,
)
from contracts.webhooks import WebhookAlarm
from services.notifications.casefile import Casefiles
from services.notifications.commits import LedgerAway
from services.notifications.core.judging import may_be_told
from services.notifications.core.manners import read_by
from services.notifications.core.matrix import Matrix
from services.notifications.core.notices import Notice
from services.notifications.core.telling import (
    Reporter,
    on_accepted,
    on_decided,
    on_due,
    on_linked,
    on_offered,
    on_stepped,
)
from services.notifications.core.telling_webhooks import on_webhook
from services.notifications.ledger import Ledger
from services.notifications.ledger_tables import notices
from services.runtime.clock import Clock
from services.runtime.failures import TryLater
from services.runtime.inner_spans import storing
from services.runtime.logs import log
from services.runtime.messaging import durable
from services.runtime.spans import note
from services.runtime.telemetry import Telemetry, trace_headers, tracer_of

OLD = timedelta(minutes=1)
"""What happened longer ago may have been handled before, into another ledger."""
DECISIONS = 8
"""That are handled at once: one about 200 persons takes 25 MB."""
SOME = 100
"""Notices that are looked for at once."""


class Handlers:
    """One method for each durable; `due` wakes the sender."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        due: asyncio.Event,
        cases: Casefiles,
        matrix: Matrix,
        directory: Directory,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._ledger = ledger
        self._tracer = tracer_of(telemetry)
        self._clock = clock
        self._due = due
        self._cases = cases
        self._matrix = matrix
        self._directory = directory
        self.taken_over = asyncio.Event()
        """Set once it is known what has ended of all that waits: before that nothing is sent."""

    def subscribe(self, broker: NatsBroker) -> None:
        """Bind to the durables of this service."""
        broker.subscriber(**durable("notifications-received"))(self.received)
        broker.subscriber(**durable("notifications-offered"))(self.offered)
        broker.subscriber(**durable("notifications-decided", DECISIONS))(self.decided)
        broker.subscriber(**durable("notifications-linked"))(self.linked)
        broker.subscriber(**durable("notifications-stepped"))(self.stepped)
        broker.subscriber(**durable("notifications-due"))(self.due)
        broker.subscriber(**durable("notifications-webhooks"))(self.webhook)

    async def take_over(self) -> None:
        """Note what ended already of all that waits in what may be an older copy of the ledger; then it may send."""
        waiting: list[Notice] | None = None
        while waiting is None or waiting:
            try:
                waiting = await self._ledger.waiting(self._clock() - OLD) if waiting is None else waiting
                some = waiting[:SOME]
                ended = await self._cases.endings(some)
                await self._ledger.take_over(some, ended)
            except (LedgerAway, TryLater) as trouble:
                log("ledger.awaited", level="WARNING", error=type(trouble).__name__)
                await asyncio.sleep(1)
                continue
            waiting = waiting[SOME:]
            if ended:
                log("ledger.older", level="WARNING", notices=len(ended))
        self.taken_over.set()

    async def received(self, message: NatsMessage) -> None:
        event = ReportAccepted.model_validate_json(message.body)
        await self.remember(event, on_accepted(event, self._matrix))

    async def decided(self, message: NatsMessage) -> None:
        event = CaseDecided.model_validate_json(message.body)
        await self.remember(event, on_decided(event, self._matrix))

    async def linked(self, message: NatsMessage) -> None:
        event = ReportLinked.model_validate_json(message.body)
        await self.remember(
            event, on_linked(event, await self._cases.decision(event.data.case_id), self._matrix)
        )

    async def offered(self, message: NatsMessage) -> None:
        event = CaseOffered.model_validate_json(message.body)
        await self._judge(event, on_offered(event, self._matrix), event.data.report_id, event.data.step)

    async def stepped(self, message: NatsMessage) -> None:
        event = CaseStepped.model_validate_json(message.body)
        data = event.data
        first = Reporter(data.report_id, data.ticket)
        others = [one for one in await self._reporters(data.case_id) if one != first]
        if self._is_old(event):  # who reported later does not hear of it because it is told again
            others = [
                one for one in others if await self._cases.linked_by(data.case_id, one.report_id, event.time)
            ]
        found = on_stepped(event, {first, *others}, self._matrix)
        await self._judge(event, found, data.report_id, data.number)

    async def due(self, message: NatsMessage) -> None:
        event = CaseDue.model_validate_json(message.body)
        report_id = (await self._cases.decision(event.data.case_id)).data.report_id
        await self._judge(event, on_due(event, report_id, self._matrix), report_id)

    async def webhook(self, message: NatsMessage) -> None:
        event = WebhookAlarm.model_validate_json(message.body)
        await self.remember(event, on_webhook(event, self._matrix, self._clock()))

    async def remember(
        self, event: Event, found: Sequence[Notice], withheld: frozenset[UUID] = frozenset()
    ) -> None:
        """Record notices with the trace they belong to. Raises TryLater while the ledger is away.

        Of what an old event asks for the stream may know the end, told by a ledger that is lost (ADR 0100).
        """
        within = trace_headers().get("traceparent")
        ended = await self._cases.endings(found) if self._is_old(event) else {}
        try:
            if found:
                with storing(self._tracer, self._ledger.engine, notices.name, len(found)):
                    await self._ledger.record(found, self._clock(), within, withheld, ended)
        except LedgerAway:
            raise TryLater from None
        note(notices=len(found), withheld=len(withheld) or None)
        self._due.set()

    def _is_old(self, event: Event) -> bool:
        return self._clock() - event.time > OLD

    async def _judge(self, event: Event, found: Sequence[Notice], report_id: UUID, step: int = 0) -> None:
        """Remember notices; those that an office would read whose head is reported are remembered as withheld."""
        if not found:
            return
        heads = await self._cases.heads(found[0].case_id, report_id, step)
        now = self._clock()
        withheld = {
            n.notice_id
            for n in found
            if not all(may_be_told(*office, heads) for office in read_by(self._directory, n, now))
        }
        await self.remember(event, found, frozenset(withheld))

    async def _reporters(self, case_id: UUID) -> Iterable[Reporter]:
        try:
            return await self._ledger.reporters(case_id)
        except LedgerAway:
            raise TryLater from None
