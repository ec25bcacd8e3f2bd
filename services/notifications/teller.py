"""Tells the bus how notices ended, until the ledger has it in writing that it was told."""

import asyncio
from contextlib import suppress

from services.notifications.commits import LedgerAway
from services.notifications.core.notices import told
from services.notifications.ledger import Ledger
from services.runtime.logs import log, where
from services.runtime.messaging import BrokerAway, Bus

GROUP = 500
SWEEP = 5.0
"""Seconds between looks for endings that were recorded but not told, for instance before a crash."""


class Teller:
    """Ledger first, then the bus, then the ledger's mark: repeating is harmless, forgetting impossible."""

    def __init__(self, ledger: Ledger, bus: Bus, ended: asyncio.Event) -> None:
        self._ledger = ledger
        self._bus = bus
        self._ended = ended

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            self._ended.clear()
            try:
                more = await self.tell_endings() == GROUP
            except (BrokerAway, LedgerAway) as trouble:
                log("telling.postponed", level="WARNING", error=type(trouble).__name__)
                more = False
                await asyncio.sleep(1)
            except Exception as trouble:  # the next round must come, whatever this one met
                log("telling.failed", level="ERROR", error=type(trouble).__name__, where=where(trouble))
                more = False
                await asyncio.sleep(1)
            if not more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), SWEEP)

    async def tell_endings(self) -> int:
        """Tell what nobody was told about; how many. Raises BrokerAway, LedgerAway."""
        endings = await self._ledger.untold(GROUP)
        if endings:
            await self._bus.tell([told(e.notice, e.state, e.attempts, e.at, e.turn) for e in endings])
            await self._ledger.mark_told(endings)
        return len(endings)
