"""Looks for reports that may tell of the event of a new one, and says so on the bus: who, how alike and why, no names."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from nats.aio.msg import Msg

from contracts.events import ReportAccepted, event_id
from contracts.matches import ReportResembles, ReportResemblesData, Resemblance
from services.intake.core.acceptance import SOURCE
from services.intake.core.blocking import keys_of
from services.intake.core.matching import Likeness, Told, chosen, told_by
from services.intake.core.thresholds import THRESHOLDS
from services.intake.match_index import MatchIndex, Place, Reach
from services.intake.sealing import CannotOpen, Sealer
from services.intake.vault import Vault
from services.intake.vault_writer import VaultAway
from services.runtime.clock import Clock
from services.runtime.messaging import Bus, TryLater

DURABLE = "intake-matching"
AT_ONCE = 16
"""Reports compared at once: few, because people may come to the door of the same process meanwhile."""
REACH = Reach(len(THRESHOLDS.days) - 1, THRESHOLDS.per_key, THRESHOLDS.compared)


class Resembling(NamedTuple):
    """Another report and how alike it is."""

    report_id: UUID
    case_id: UUID
    alike: Likeness


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
            found = await self.compare(accepted)
        except VaultAway:
            raise TryLater(5) from None
        if self.bus:
            await self.bus.tell(found)

    async def compare(self, accepted: Sequence[ReportAccepted]) -> list[ReportResembles]:
        """Put reports into the index, then compare each with those that share a key. Raises VaultAway.

        In this order two reports that come at one instant see each other, at least one of them the other. The database
        is asked a few times for all of them together: a question costs more than its answer.
        """
        mine = await self._told([one.data.report_id for one in accepted])
        added = [
            (Place(one.data.report_id, one.data.case_id, told.day, one.time), keys_of(told, self._door_key))
            for one in accepted
            if (told := mine.get(one.data.report_id))
        ]
        if not added:
            return []
        await self._index.add(added)
        repeating = await self._index.repeating([place for place, _ in added])
        new = [(place, keys) for place, keys in added if place.report_id not in repeating]
        near = {
            report_id: found for report_id, found in (await self._index.sharing(new, REACH)).items() if found
        }
        if not near:
            return []
        opened = await self._told({report_id for found in near.values() for report_id, _ in found})
        picked = {report_id: _picked(mine[report_id], found, opened) for report_id, found in near.items()}
        return await self._events(accepted, picked)

    async def _told(self, report_ids: Collection[UUID]) -> dict[UUID, Told]:
        """What of each report is compared; without those that were erased."""
        found = {}
        for report_id, sealed in (await self._vault.dossiers(report_ids)).items():
            try:
                found[report_id] = told_by(self._sealer.open(report_id, "dossier", sealed)["report"])
            except CannotOpen:
                continue
        return found

    async def _events(
        self, accepted: Sequence[ReportAccepted], picked: Mapping[UUID, list[Resembling]]
    ) -> list[ReportResembles]:
        tickets = await self._vault.tickets({one.report_id for found in picked.values() for one in found})
        return [
            self._event(one, found, tickets) for one in accepted if (found := picked.get(one.data.report_id))
        ]

    def _event(
        self, accepted: ReportAccepted, found: list[Resembling], tickets: Mapping[UUID, str]
    ) -> ReportResembles:
        data = accepted.data
        others = tuple(
            Resemblance(
                report_id=one.report_id,
                case_id=one.case_id,
                ticket=tickets[one.report_id],
                score=one.alike.score,
                reasons=one.alike.reasons,
            )
            for one in found
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


def _picked(mine: Told, near: Sequence[tuple[UUID, UUID]], opened: Mapping[UUID, Told]) -> list[Resembling]:
    """Of those nearby, without the erased, the ones to ask a person about."""
    found = [(report_id, case_id) for report_id, case_id in near if report_id in opened]
    alike = chosen(mine, [opened[report_id] for report_id, _ in found])
    return [Resembling(*found[n], how) for n, how in alike]
