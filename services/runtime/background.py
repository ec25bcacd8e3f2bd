"""The work of a service beside its doors. A part that ends by an error ends the service, so that it is restarted."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from services.runtime.bus import BrokerAway
from services.runtime.ending import ended
from services.runtime.logs import log, where
from services.runtime.serving import CANNOT_GO_ON
from services.runtime.settings import BadSettings


def end_the_service() -> None:
    """Running requests finish, the exit code is 1, and whoever watches the process starts it again."""
    signal.raise_signal(CANNOT_GO_ON)


class Background:
    """`telling` are more errors whose text may be logged: it names a cause and a cure, nobody's words."""

    def __init__(
        self,
        telling: tuple[type[Exception], ...] = (),
        end: Callable[[], None] = end_the_service,
    ) -> None:
        self._telling, self._end = (BadSettings, BrokerAway, *telling), end
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def begin(self, *works: Coroutine[Any, Any, None]) -> None:
        """Run each beside the others until it returns or `stop` is called."""
        for work in works:
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Cancel until all have ended."""
        self._stopping = True
        await ended(self._tasks)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if task.cancelled() or not (trouble := task.exception()):
            return
        cause = _innermost(trouble)
        reason = str(cause)[:300] if isinstance(cause, self._telling) else None
        log(
            "service.cannot_go_on",
            level="ERROR",
            error=type(cause).__name__,
            where=where(cause),
            reason=reason,
        )
        if not self._stopping:
            self._end()


def _innermost(trouble: BaseException) -> BaseException:
    """A task group wraps what went wrong; the first of it is the cause."""
    return _innermost(trouble.exceptions[0]) if isinstance(trouble, BaseExceptionGroup) else trouble
