"""Looks for reports that may tell of the event of a new one, and says so on the bus: who, how alike and why, no names."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from nats.aio.msg import Msg

from contracts.events import ReportAccepted, event_id
from contracts.matches import ReportResembles, ReportResemblesData, Resemblance
from services.intake.core.acceptance import SOURCE
from services.intake.core.blocking import keys_of
from services.intake.core.matching import Likeness, Told, chosen, told_by
from services.intake.core.thresholds import THRESHOLDS
from services.intake.match_index import MatchIndex, Place
from services.intake.sealing import CannotOpen, Sealer
from services.intake.vault import Vault
from services.intake.vault_writer import VaultAway
from services.runtime.clock import Clock
from services.runtime.messaging import Bus, TryLater

DURABLE = "intake-matching"
AT_ONCE = 16
"""Reports compared at once: few, because people may come to the door of the same process meanwhile."""


class Matcher:
    """Repeating its work is harmless: keys stand once, and the first thing said about a report stands."""

    def __init__(
        self, vault: Vault, index: MatchIndex, sealer: Sealer, door_key: bytes, clock: Clock
    ) -> None:
        self._vault, self._index, self._sealer = vault, index, sealer
        self._door_key, self._clock = door_key, clock
        self.bus: Bus | None = None
        """Where what is found is said; None until the broker is there."""

    async def handle(self, messages: Sequence[Msg]) -> None:
        """Compare accepted reports, and say what they resemble. Raises ValidationError, TryLater and BrokerAway."""
        accepted = [ReportAccepted.model_validate_json(message.data) for message in messages]
        try:
            found = await asyncio.gather(*map(self.compare, accepted))
        except VaultAway:
            raise TryLater(5) from None
        if self.bus:
            await self.bus.tell([one for one in found if one])

    async def compare(self, accepted: ReportAccepted) -> ReportResembles | None:
        """Put a report into the index, then compare it with those that share a key. Raises VaultAway.

        In this order two reports that come at one instant see each other, at least one of them the other.
        """
        data = accepted.data
        mine = (await self._told([data.report_id])).get(data.report_id)
        if mine is None:
            return None
        place = Place(data.report_id, data.case_id, mine.day, accepted.time)
        keys = keys_of(mine, self._door_key)
        await self._index.add(place, keys)
        if await self._index.repeats(place):
            return None
        by = THRESHOLDS
        near = await self._index.sharing(place, keys, len(by.days) - 1, by.per_key, by.compared)
        opened = await self._told([report_id for report_id, _ in near])
        found = [
            (report_id, case_id, opened[report_id]) for report_id, case_id in near if report_id in opened
        ]
        picked = [(*found[n][:2], alike) for n, alike in chosen(mine, [told for *_, told in found])]
        return await self._event(accepted, picked) if picked else None

    async def _told(self, report_ids: list[UUID]) -> dict[UUID, Told]:
        """What of each report is compared; without those that were erased."""
        found = {}
        for report_id, sealed in (await self._vault.dossiers(report_ids)).items():
            try:
                found[report_id] = told_by(self._sealer.open(report_id, "dossier", sealed)["report"])
            except CannotOpen:
                continue
        return found

    async def _event(
        self, accepted: ReportAccepted, picked: list[tuple[UUID, UUID, Likeness]]
    ) -> ReportResembles:
        data = accepted.data
        tickets = await self._vault.tickets([report_id for report_id, _, _ in picked])
        others = tuple(
            Resemblance(
                report_id=report_id,
                case_id=case_id,
                ticket=tickets[report_id],
                score=alike.score,
                reasons=alike.reasons,
            )
            for report_id, case_id, alike in picked
        )
        return ReportResembles(
            id=event_id(data.report_id, "resembles"),
            source=SOURCE,
            subject=str(data.report_id),
            time=self._clock(),
            data=ReportResemblesData(
                report_id=data.report_id, case_id=data.case_id, ticket=data.ticket, others=others
            ),
        )
