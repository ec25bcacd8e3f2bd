"""Puts together what keeps time limits: the broker's timers, what they make us say, and the sweep behind them."""

from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing.casebook import Casebook
from services.routing.limits_sweep import Sweep
from services.routing.limits_watch import Limits
from services.routing.timer_queries import TimerQueries
from services.routing.timers import Timers
from services.runtime.bus import Bus
from services.runtime.clock import Clock
from services.runtime.metrics import SILENT, Instruments


class Timekeeping:
    """`sweep_seconds` lie between two looks of the sweep."""

    def __init__(
        self,
        bus: Bus,
        casebook: Casebook,
        engine: AsyncEngine,
        clock: Clock,
        sweep_seconds: float,
        instruments: Instruments = SILENT,
    ) -> None:
        queries = TimerQueries(engine)
        self.timers = Timers(bus, queries)
        self.limits = Limits(bus, casebook, clock, instruments)
        self.sweep = Sweep(bus, self.limits, self.timers, queries, clock, sweep_seconds)
