"""Push over a real database and real sockets, with a clock that is moved; the broker is the suite's or none."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid5

from contracts.agency_events import AgencyDue, AgencyDueData
from contracts.case_events import DueLevel
from contracts.codes import Agency
from contracts.events import Event
from contracts.ids import NETRAL
from contracts.webhooks import EndpointChange, EndpointChangedData, EndpointState, Signing
from services.routing.delivery.push import Push
from services.routing.delivery.questions import Wanted
from services.routing.delivery.queue import Told
from services.routing.settings import RoutingSettings
from tests.running import Clock


class StandingBus:
    """Stores each subject once, as the broker does."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    async def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self.events.setdefault(event.nats_subject, event)  # type: ignore[attr-defined]

    async def read(self, nats_subject: str) -> bytes | None:
        event = self.events.get(nats_subject)
        return event.model_dump_json(by_alias=True).encode() if event else None

    def alarms(self) -> list[tuple[str, str]]:
        found = [event for subject, event in self.events.items() if ".alarm." in subject]
        return [(event.data.agency, event.data.alarm) for event in found]  # type: ignore[attr-defined]


@dataclass
class Desk:
    """One worker of push, moved by hand."""

    push: Push
    bus: StandingBus
    clock: Clock
    told: int = 0

    async def endpoint(self, url: str, agency: str = "BKN", office: str | None = None) -> EndpointChangedData:
        """Registered and proved."""
        made = await self.push.endpoints.register(agency, office, url, Signing.ED25519, agency)
        return await self.push.endpoints.change(
            made, EndpointChange.PROVED, agency, state=EndpointState.ACTIVE
        )

    async def tell(self, agency: str = "BKN", office: str | None = None, number: int = 1) -> None:
        """So many events for an office."""
        for _ in range(number):
            self.told += 1
            await self.push.queue.keep_all([Told(self.told, self.event(agency, office, self.told))])

    def event(self, agency: str, office: str | None, number: int) -> AgencyDue:
        case_id = uuid5(NETRAL, f"case {number}")
        return AgencyDue(
            id=uuid5(case_id, f"{agency} {office}"),
            source="netral/routing",
            subject=str(case_id),
            time=self.clock(),
            data=AgencyDueData(
                case_id=case_id,
                ticket="NTR-0000-0000-0000-0001",
                region="kemendagri:52.04",
                agency=Agency(agency),
                office=office,
                link=f"/v1/agencies/{agency}/cases/{case_id}",
                person="p1",
                level=DueLevel.REMINDER,
                last_day=self.clock().date(),
            ),
        )

    async def round(self) -> int:
        """Send what is due and wait for every answer."""
        begun = await self.push.sender.begin()
        await self.push.sender.settle()
        return begun

    def move(self, **by: float) -> None:
        self.clock.at += timedelta(**by)

    async def look(self) -> None:
        """The keeper's work without the broker's stream."""
        await self.push.claims.reap()
        await self.push.keeper._stop_the_hopeless()
        await self.push.keeper._tell()

    async def deliveries(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.push.questions.deliveries(Wanted(**wanted), None, 10_000)

    async def only(self) -> dict[str, Any]:
        (row,) = await self.deliveries()
        return row


@asynccontextmanager
async def desk(
    folder: Path, clock: Clock | None = None, bus: StandingBus | None = None, **changed: Any
) -> AsyncIterator[Desk]:
    """Twice over one folder is a restart."""
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets" / "webhook.key").write_text("5a" * 32)
    given = {"webhook_unsafe_loopback": True, "webhook_timeout": 5, **changed}
    settings = RoutingSettings(data_dir=folder, **given)
    bus, clock = bus or StandingBus(), clock or Clock()
    push = Push(settings, lambda: bus, clock)  # type: ignore[arg-type,return-value]
    await push.store.open()
    yield Desk(push, bus, clock)
    await push.stop()
