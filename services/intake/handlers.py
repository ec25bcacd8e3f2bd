"""What the door does with a report: decide, remember, tell; and what it answers when asked about one."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts import regions
from contracts.door import read_report
from contracts.events import CaseStepped, ReportAccepted
from contracts.ids import receipt_for, report_id_of, ticket_for
from contracts.steps import Matter
from contracts.topology import stream_of
from services.intake.core.acceptance import Acceptance, accept, zone_at
from services.intake.sealing import Sealer
from services.intake.traffic import Traffic
from services.intake.vault import Vault
from services.intake.vault_writer import Entry, Standing
from services.runtime.clock import Clock
from services.runtime.messaging import BrokerAway, Bus
from services.runtime.metrics import SILENT, Counted, Instruments
from services.runtime.reading import of_leader
from services.runtime.turns import Turns


class OtherBody(Exception):
    """An Idempotency-Key was used again, with another report."""


@dataclass(frozen=True)
class Accepted:
    """What the one who reports gets to know; `received_at` is in the zone of the place."""

    ticket: str
    receipt: str
    received_at: datetime


@dataclass(frozen=True)
class Received:
    """A report that lies in the vault; exact copies share its case. `at` is in the zone of the place."""

    ticket: str
    case_id: UUID
    at: datetime


class Intake:
    """The door's work, without HTTP. `bus` is None until the broker has been reached."""

    def __init__(
        self,
        vault: Vault,
        sealer: Sealer,
        door_key: bytes,
        clock: Clock,
        bus: Bus | None = None,
        instruments: Instruments = SILENT,
        traffic: Traffic | None = None,
    ) -> None:
        self.bus = bus
        self._instruments = instruments
        self._vault = vault
        self._sealer = sealer
        self._door_key = door_key
        self._clock = clock
        self._turns = Turns()
        self.traffic = traffic or Traffic()

    async def submit(self, raw: bytes, document: Any, key: str | None) -> Accepted:
        """Accept the report `document`, read from `raw`, once for ever under its idempotency key.

        Without a key every call is a report of its own.
        Raises InvalidDocument, OtherBody, BrokerAway, VaultAway.
        """
        now = self._clock()
        report = read_report(document, now.astimezone(zone_at(document)).date())
        ticket = ticket_for(self._door_key, key or secrets.token_urlsafe(32))
        acceptance = accept(report, ticket, now, self._door_key)
        body_mac = hmac.digest(self._door_key, b"body\x00" + raw, hashlib.sha256)
        with self.traffic.passing():
            async with self._turns.of(acceptance.event.data.report_id):
                return await self._remember_and_tell(acceptance, body_mac)

    def is_receipt(self, ticket: str, receipt: str) -> bool:
        """Whether a receipt opens a ticket; takes the same time whatever they are."""
        wanted = receipt_for(self._door_key, report_id_of(ticket))
        return hmac.compare_digest(wanted.encode(), receipt.strip().upper().encode())

    async def received(self, ticket: str) -> Received | None:
        """What is known of a report without opening it; None if there is none. Raises VaultAway."""
        kept = await self._vault.find(report_id_of(ticket))
        if kept is None:
            return None
        event = ReportAccepted.model_validate_json(kept.event)
        return Received(event.data.ticket, event.data.case_id, _local_time(event))

    async def is_routed(self, case_id: UUID) -> bool:
        """Whether a decision stands for a case, whichever report opened it; also no while the broker cannot tell."""
        try:
            return self.bus is not None and await self.bus.stored(f"cases.{case_id}.decided")
        except BrokerAway:
            return False

    async def matters(self, case_id: UUID) -> tuple[Matter, ...]:
        """Where every person's matter stands after the last step, of a duplicate that of the case it leads to.

        Empty before the first step, and while the broker cannot tell.
        """
        try:
            step = await self._last_step(case_id)
            if step and step.data.link:
                step = await self._last_step(step.data.link.to)
        except BrokerAway:
            return ()
        return step.data.persons if step else ()

    async def _last_step(self, case_id: UUID) -> CaseStepped | None:
        subject = f"cases.{case_id}.step.*"
        found = await self.bus.last(stream_of(subject), subject) if self.bus else None
        return CaseStepped.model_validate_json(found) if found else None

    async def reconcile(self, before: datetime, doubted: frozenset[UUID]) -> frozenset[UUID]:
        """Settle reports from before `before` of which nobody noted what the broker answered.

        Those on the stream are accepted. Those missing now and when `doubted` was returned are deleted: once
        is not enough, because a reconnecting client may still flush what it had buffered; nor where the stream's
        leader holds what the copy lacks that answers. Missing ones lose their claim; one that is sent again in
        between, by whichever process, gets it back and is not deleted.
        Returns those missing for the first time. Raises BrokerAway, VaultAway.
        """
        if self.bus is None:
            raise BrokerAway(ambiguous=False)
        missing = set()
        for waiting in await self._vault.waiting(before):
            async with self._turns.of(waiting.report_id):
                event = ReportAccepted.model_validate_json(waiting.event)
                if await self.bus.stored(event.nats_subject):
                    self._vault.accept(waiting.report_id)
                elif waiting.report_id in doubted and await of_leader(self.bus, event.nats_subject) is None:
                    await self._vault.forget(waiting.report_id)
                else:
                    missing.add(waiting.report_id)
        await self._vault.doubt(sorted(missing))
        return frozenset(missing)

    async def _remember_and_tell(self, acceptance: Acceptance, body_mac: bytes) -> Accepted:
        if self.bus is None:
            raise BrokerAway(ambiguous=False)
        standing = await self._vault.keep(self._entry(acceptance, body_mac))
        if not hmac.compare_digest(standing.body_mac, body_mac):
            raise OtherBody
        event = acceptance.event if standing.fresh else ReportAccepted.model_validate_json(standing.event)
        await self._tell(self.bus, event, standing)
        return Accepted(
            event.data.ticket, receipt_for(self._door_key, event.data.report_id), _local_time(event)
        )

    async def _tell(self, bus: Bus, event: ReportAccepted, standing: Standing) -> None:
        try:
            await bus.tell_written(event.nats_subject, standing.event)
        except BrokerAway as problem:
            if standing.fresh and not problem.ambiguous:
                await self._vault.forget(event.data.report_id)
            raise
        self._vault.accept(event.data.report_id)
        if standing.fresh:
            facts = event.data.facts
            self._instruments.count(Counted.ACCEPTED, channel=facts.channel or "", kind=facts.reporter)

    def _entry(self, acceptance: Acceptance, body_mac: bytes) -> Entry:
        event, report_id = acceptance.event, acceptance.event.data.report_id
        return Entry(
            report_id=report_id,
            ticket=event.data.ticket,
            body_mac=body_mac,
            received_at=event.time,
            event=event.model_dump_json(by_alias=True),
            dossier=self._sealer.seal(report_id, "dossier", acceptance.dossier),
            reporter=self._sealer.seal(report_id, "reporter", acceptance.reporter),
            key_id=self._sealer.key_id,
        )


def _local_time(event: ReportAccepted) -> datetime:
    return event.time.astimezone(regions.zone_of(event.data.facts.region))
