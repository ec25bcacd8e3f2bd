"""The working parts of routing behind its doors: opened in order, kept going, stopped."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from faststream.nats import NatsBroker
from sqlalchemy.exc import SQLAlchemyError

from contracts.topology import TOLD_GROUP
from services.routing.agencies.wiring import Agencies
from services.routing.agency_feed import DURABLE as FEED
from services.routing.agency_feed import AgencyFeed
from services.routing.calendar_law import CalendarLaw
from services.routing.casebook import Casebook
from services.routing.core.decide import Judge
from services.routing.delivery.push import Push
from services.routing.delivery.queue import DURABLE as DELIVERIES
from services.routing.following import DURABLES, Following
from services.routing.handlers import subscribe, subscribe_timers
from services.routing.law import Law
from services.routing.linking import Linking
from services.routing.marks import Marks
from services.routing.match_queries import MatchQueries
from services.routing.matter_queries import MatterQueries
from services.routing.rebuilding import catch_up
from services.routing.reckoning import Reckoning
from services.routing.sealed_words import another_key
from services.routing.settings import RoutingSettings
from services.routing.succession import Succession
from services.routing.timekeeping import Timekeeping
from services.routing.views import Views
from services.routing.words import Words
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.background import Background
from services.runtime.clock import Clock
from services.runtime.gathering import Gathering
from services.runtime.logs import log
from services.runtime.messaging import BrokerAway, Bus, consuming
from services.runtime.patience import answered
from services.runtime.telemetry import Telemetry, instruments_of, tracer_of


class Parts:
    """What lives as long as the application; `bus` and `broker` once they are connected."""

    def __init__(
        self,
        settings: RoutingSettings,
        clock: Clock,
        judge: Judge,
        views: Views,
        agencies: Agencies,
        telemetry: Telemetry | None,
    ) -> None:
        self.settings, self.clock, self.law = settings, clock, Law(judge, clock)
        self.dates = CalendarLaw(self.law, clock)
        self.views, self.agencies, self.telemetry = views, agencies, telemetry
        self.bus: Bus | None = None
        self.broker: NatsBroker | None = None
        self.words = Words(settings.secret("case.key"))
        self.marks = Marks(views.engine, clock, instruments_of(telemetry))
        self.push = Push(settings, lambda: self.bus, clock, telemetry)
        self.another_key = False
        """Whether words of the log do not open with this case.key."""
        self.casebook: Casebook | None = None
        self.succession: Succession | None = None
        self.linking: Linking | None = None
        self.reckoning: Reckoning | None = None
        self.background = Background(telling=(BrokenRulebook,))

    async def start(self) -> None:
        await self._database()
        self.bus = bus = await Bus.connect(self.settings, "routing", telemetry=self.telemetry)
        for asked in (self.agencies.book.open, self.law.open, self.dates.open):
            await answered(partial(asked, bus))
        await answered(partial(catch_up, bus, self.views))
        self.another_key = await another_key(self.words, self.views)
        self.casebook = Casebook(self.bus, self.law, self.clock, self.words)
        made = instruments_of(self.telemetry)
        time = Timekeeping(
            self.bus, self.casebook, self.views.engine, self.clock, self.settings.sweep_seconds, made
        )
        matters = MatterQueries(self.views.engine)
        self.succession = Succession(self.casebook, matters, self.clock)
        self.reckoning = Reckoning(
            self.bus, self.casebook, self.law, matters, self.clock, self.settings.sweep_seconds
        )
        pairs = MatchQueries(self.views.engine)
        self.linking = Linking(self.bus, self.casebook, pairs, self.clock, self.words)
        self.background.begin(
            self.law.follow(self.bus),
            self.dates.follow(self.bus),
            self.reckoning.watch(),
            self.agencies.book.follow(self.bus),
            *self._gatherings(self.bus, time),
            time.sweep.watch(),
            self.push.run(self.bus),
            self.linking.watch(),
            self.marks.watch(self.bus),
        )

        def subscribed(broker: NatsBroker) -> None:
            subscribe(broker, law=self.law, bus=bus, clock=self.clock, instruments=made)
            subscribe_timers(broker, time.limits, self.clock)

        self.broker = await consuming(self.settings, "routing", self.telemetry, subscribed)

    async def _database(self) -> None:
        """Open what lies in the database; while it is away, wait for it. Raises BadSettings."""
        while True:
            try:
                await self.views.open()
                await self.marks.open()
                await self.agencies.keys.open(self.settings)
            except SQLAlchemyError as trouble:
                log("views.awaited", level="WARNING", error=type(trouble.__cause__ or trouble).__name__)
                await asyncio.sleep(1)
            else:
                return

    def _gatherings(self, bus: Bus, time: Timekeeping) -> list[Coroutine[Any, Any, None]]:
        following = Following(self.views, time.timers, tracer_of(self.telemetry))
        gathered = {name: Gathering(bus.nc, name, following.handle, self.telemetry) for name in DURABLES}
        feed = Gathering(bus.nc, FEED, AgencyFeed(bus).handle, self.telemetry, TOLD_GROUP)
        push = Gathering(bus.nc, DELIVERIES, self.push.hear, self.telemetry)
        return [one.follow() for one in (*gathered.values(), feed, push)]

    async def accepted(self, report_id: UUID) -> bytes | None:
        """The event of an accepted report, also before it is decided; None if there is none or the broker is away."""
        try:
            return await self.bus.read(f"reports.{report_id}.accepted") if self.bus else None
        except BrokerAway:
            return None

    async def stop(self) -> None:
        await self.background.stop()
        if self.broker:
            await self.broker.stop()
        await self.push.stop()
        if self.bus:
            await self.bus.close()
        await self.views.engine.dispose()
