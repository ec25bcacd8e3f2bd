"""What the ops page knows at one moment; `verdicts` says what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.topology import CONSUMERS
from services.ops.core.objectives import Share

_OURS = frozenset(consumer.name for consumer in CONSUMERS)


@dataclass(frozen=True)
class Durable:
    """A durable consumer as the broker sees it; `moved_at` is when it last finished something while it had work."""

    stream: str
    name: str
    pending: int
    unacknowledged: int
    redelivered: int
    delivered: int
    moved_at: datetime

    @property
    def ours(self) -> bool:
        """It stands in the topology table; any other is an agency's, whose lag is its own."""
        return self.name in _OURS


@dataclass(frozen=True)
class Stream:
    name: str
    messages: int
    bytes: int
    first_at: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """`services` holds the reasons why each is not ready ('' when it is); `ageing` is routing's answer; instants are UTC."""

    at: datetime
    services: Mapping[str, str] = field(default_factory=dict)
    broker: str = ""
    """Why no server of the broker answers; '' while one does."""
    servers_away: tuple[str, ...] = ()
    """Servers of a cluster that do not answer while others do."""
    servers_ill: tuple[str, ...] = ()
    """Servers that answer and are not well, each with what it complains of."""
    streams: tuple[Stream, ...] = ()
    durables: tuple[Durable, ...] = ()
    lacking: tuple[str, ...] = ()
    """Streams and durables of the topology table that a broker which answers does not have."""
    storage_share: float = 0.0
    ageing: tuple[Mapping[str, Any], ...] = ()
    orphans: int = 0
    matches_since: datetime | None = None
    """Since when the oldest pair of reports that may tell of one event waits for a person; None if none does."""
    webhooks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What a human must see to at the endpoints of each agency that has some."""
    in_vain: int = 0
    """Tries of e-mails since the last one that left."""
    late: Mapping[str, Share] = field(default_factory=dict)
    """Of each objective: what came too late in the ten minutes that are remembered."""
    failed: Mapping[str, Share] = field(default_factory=dict)
    """Of each route of a door: what was answered with 5xx in these ten minutes."""
    apart: tuple[str, ...] = ()
    """Which of vault and stream lacked a report of the samples that are remembered."""
    lost: tuple[str, ...] = ()
    """Streams that in these ten minutes did not hold any more what they held."""
    totals: Mapping[str, float] = field(default_factory=dict)
    blind: tuple[str, ...] = ()
    """What could not be looked at although it answers: its verdicts are missing here."""


def next_durable(before: Mapping[str, Durable], found: Durable) -> Durable:
    """The durable with the instant it last moved: when it finished something, or has nothing to do."""
    earlier = before.get(found.name)
    idle = not found.pending and not found.unacknowledged
    if earlier is None or idle or earlier.delivered != found.delivered or _less(found, earlier):
        return found
    return Durable(**{**found.__dict__, "moved_at": earlier.moved_at})


def _less(found: Durable, earlier: Durable) -> bool:
    return found.pending + found.unacknowledged < earlier.pending + earlier.unacknowledged
