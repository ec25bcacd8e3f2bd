"""Keeps a timer on the broker for each time limit that runs: set, moved and cancelled as the case goes on.

A timer is a message schedule in the stream TIMERS, on a subject of its own: the last message of a subject stands. It says
of which version of the case it is, so a worker that is behind never undoes what a newer version set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import BaseModel

from contracts.events import CaseDecided, CaseStepped
from services.routing.core.limits import QUEUE, timers_of
from services.routing.matters import version_of
from services.routing.timer_queries import TimerQueries
from services.routing.views import Row
from services.runtime.batches import Batch, Message, Refused, publish_batch, publish_guarded
from services.runtime.bus import MAX_GROUP, BrokerAway, Bus
from services.runtime.grouping import Grouped
from services.runtime.reading import last_of_each

STREAM = "TIMERS"
ATTEMPTS = 4
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""The broker counts nanoseconds from here: of a day long before it never says that it has come."""
_KEPT = "2592000s"
"""How long what fired waits for a worker: 30 days; the sweep finds what waited longer."""
_CANCELLED = {"Nats-Rollup": "sub", "Nats-TTL": "3600s"}
"""What replaces a cancelled timer; it stays for an hour, so that a late worker sees that it is late."""
_EXPECTED, _VERSION = "Nats-Expected-Last-Subject-Sequence", "Netral-Version"


class Firing(BaseModel, frozen=True):
    """What a timer says when it fires: which limit of whom."""

    case_id: UUID
    person: str
    agency: str
    office: str | None
    last_day: date
    level: str
    at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        """What the timer of a row of the read model says."""
        return cls.model_validate({**row, "person": row["ref"]})

    @property
    def name(self) -> str:
        """What its subjects and those of its event have in common."""
        return f"{self.case_id}.{self.person}.{self.agency}.{self.last_day}.{self.level}"

    @property
    def event_subject(self) -> str:
        """Where what it has to say is stored, once."""
        waiting = f"waiting.{self.person}.{self.last_day}"
        rest = self.name.partition(".")[2]
        return f"cases.{self.case_id}.{waiting if self.level == QUEUE else f'due.{rest}'}"

    @property
    def when(self) -> str:
        """The schedule: the next whole second, so that it never fires before its time."""
        at = self.at.astimezone(UTC)
        at = at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at
        return f"@at {max(at, _EARLIEST):%Y-%m-%dT%H:%M:%SZ}"


class _Set(NamedTuple):
    """What the broker holds on the subject of a timer; `when` is None where it was cancelled."""

    seq: int
    version: int
    when: str | None


@dataclass(eq=False)
class _Wish:
    messages: list[Message]
    met: bool = True


class Timers:
    """Setting a timer again changes nothing; concurrent calls share atomic batches."""

    def __init__(self, bus: Bus, queries: TimerQueries) -> None:
        self._bus, self._queries = bus, queries
        self._writing: Grouped[_Wish] = Grouped(self._write)

    async def follow(self, event: CaseDecided | CaseStepped, *, first: bool) -> None:
        """Set the timers of a case after an event of it; `first` if it comes for the first time. Raises BrokerAway."""
        if isinstance(event, CaseDecided) and first:
            version = version_of(event)
            firings = [
                Firing.of(timer._asdict() | {"case_id": version.case_id})
                for timer in timers_of(version.matters, event.time)
            ]
            if await self._wish([_timer(firing, 0, None) for firing in firings]):
                return
        await self.arm(event.data.case_id)

    async def arm(self, case_id: UUID) -> None:
        """Make the broker's timers of a case those of the read model. Raises BrokerAway and SQLAlchemyError."""
        for _ in range(ATTEMPTS):
            version, rows = await self._queries.running(str(case_id))
            wanted = {f"timer.{firing.name}": firing for firing in map(Firing.of, rows)}
            there = await self._there([f"timer.{case_id}.>"])
            if any(timer.version > version for timer in there.values()):
                return  # another worker is ahead
            if await self._wish(_changes(wanted, there, version)):
                return
        raise BrokerAway(ambiguous=True)

    async def missing(self, rows: Sequence[Row]) -> set[UUID]:
        """The cases of those timers that the broker does not hold. Raises BrokerAway."""
        firings = [Firing.of(row) for row in rows]
        there = await self._there([f"timer.{firing.name}" for firing in firings])
        return {
            firing.case_id for firing in firings if _when(there.get(f"timer.{firing.name}")) != firing.when
        }

    async def _there(self, filters: list[str]) -> dict[str, _Set]:
        found = {}
        async for message in last_of_each(self._bus, STREAM, filters):
            version = int(message.headers.get(_VERSION, "0"))
            found[message.subject] = _Set(message.seq, version, message.headers.get("Nats-Schedule"))
        return found

    async def _wish(self, messages: list[Message]) -> bool:
        """Whether all of them are stored now; each only if nobody else changed its subject."""
        if not messages:
            return True
        wish = _Wish(messages)
        try:
            await self._writing.submit(wish)
        except (NatsError, TimeoutError, OSError, Refused):
            raise BrokerAway(ambiguous=True) from None
        return wish.met

    async def _write(self, wishes: Sequence[_Wish]) -> None:
        messages = [message for wish in wishes for message in wish.messages]
        if len(messages) <= MAX_GROUP and await publish_batch(self._bus.nc, Batch(messages)):
            return
        for wish in wishes:
            wish.met = all([await publish_guarded(self._bus.js, message) for message in wish.messages])


def _when(timer: _Set | None) -> str | None:
    return timer and timer.when


def _changes(wanted: dict[str, Firing], there: dict[str, _Set], version: int) -> list[Message]:
    changes = [
        _timer(firing, version, there.get(subject))
        for subject, firing in wanted.items()
        if _when(there.get(subject)) != firing.when
    ]
    gone = [(subject, timer) for subject, timer in there.items() if timer.when and subject not in wanted]
    return [
        *changes,
        *(Message(subject, b"", {**_CANCELLED, **_expecting(timer, version)}) for subject, timer in gone),
    ]


def _timer(firing: Firing, version: int, there: _Set | None) -> Message:
    headers = {
        "Nats-Schedule": firing.when,
        "Nats-Schedule-Target": f"due.{firing.name}",
        "Nats-Schedule-TTL": _KEPT,
        **_expecting(there, version),
    }
    return Message(f"timer.{firing.name}", firing.model_dump_json().encode(), headers)


def _expecting(there: _Set | None, version: int) -> dict[str, str]:
    return {_VERSION: str(version), _EXPECTED: str(there.seq if there else 0)}
