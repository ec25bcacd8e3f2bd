"""What routing does with each message: decide, remember, tell; and say what is due."""

import asyncio
from contextlib import nullcontext
from zoneinfo import ZoneInfo

from faststream.nats import NatsBroker, NatsMessage
from opentelemetry import trace

from contracts import regions
from contracts.codes import OPENED
from contracts.decision import Decision
from contracts.events import ReportAccepted
from services.routing.core.fanout import decided, following, linked
from services.routing.core.life import life_of
from services.routing.law import Law
from services.routing.limits_watch import Limits, Spoken
from services.routing.parking import park_what_was_given_up
from services.routing.timers import Firing
from services.runtime.clock import Clock
from services.runtime.messaging import Bus, TryLater, durable
from services.runtime.metrics import SILENT, Instruments, Timed
from services.runtime.spans import note

LARGE = 20
"""Persons of a report from which on only FEW are decided at once: 200 make 25 MB of decision while it is told."""
FEW = 2
SKEW = 60.0
"""Seconds the broker's clock may be ahead of ours; a limit that fires earlier than that is left to the sweep."""


def subscribe(
    broker: NatsBroker, *, law: Law, bus: Bus, clock: Clock, instruments: Instruments = SILENT
) -> None:
    """Bind what routing does with reports, and with messages that were given up, to its durables."""
    few = asyncio.Semaphore(FEW)

    @broker.subscriber(**durable("routing"))
    async def on_report_accepted(message: NatsMessage) -> None:
        accepted = ReportAccepted.model_validate_json(message.body)
        async with few if len(accepted.data.facts.persons) > LARGE else nullcontext():
            decision, new = await open_case(accepted, law, bus, clock)
        if new:  # what is heard again was in time long ago, also where its first answer was lost
            _measure(instruments, (clock() - accepted.time).total_seconds(), decision)

    @broker.subscriber(**durable("routing-advisories"))
    async def on_advisory(message: NatsMessage) -> None:
        await park_what_was_given_up(bus.js, message.body)


def subscribe_timers(broker: NatsBroker, limits: Limits, clock: Clock) -> None:
    """Bind what a time limit has to say to the durable of what fired."""

    @broker.subscriber(**durable("routing-timers"))
    async def on_timer(message: NatsMessage) -> None:
        await _fired(limits, clock, Firing.model_validate_json(message.body))


async def open_case(accepted: ReportAccepted, law: Law, bus: Bus, clock: Clock) -> tuple[Decision, bool]:
    """Decide on a report and tell what follows; for a case that stands already, only what is missing. Raises BrokerAway.

    With the decision, whether the case or this report's place in it is new.
    """
    at = max(clock(), accepted.time)
    day = at.astimezone(_zone(accepted)).date()
    decision, matters, *_ = life_of(accepted.data.facts, day, (), (), law.judge)
    note(rulebook=decision.rulebook.version, persons=len(decision.persons))
    trace.get_current_span().set_attributes(_grounds(decision))
    link = linked(accepted.data, at)
    new = await bus.tell_case(
        decided(accepted, decision, at, matters),
        lambda stands: [*following(stands), link],
    )
    return decision, new


async def _fired(limits: Limits, clock: Clock, firing: Firing) -> None:
    spoken = await limits.speak(firing)
    note(case_id=str(firing.case_id), limit=firing.level, spoken=spoken.value)
    if spoken is Spoken.EARLY and (wait := (firing.at - clock()).total_seconds()) < SKEW:
        raise TryLater(max(wait, 0.1))


def _grounds(decision: Decision) -> dict[str, str | list[str]]:
    """What the decision rests on: the rulebook, and the rules that gave somebody a part or asked for a person."""
    rules = {part.rule for person in decision.persons for part in person.assignments}
    rules |= {review.rule for person in decision.persons for review in person.review}
    return {
        "netral.rulebook.version": decision.rulebook.version,
        "netral.rulebook.digest": decision.rulebook.digest,
        "netral.rules": sorted(rules),
    }


def _measure(instruments: Instruments, age: float, decision: Decision) -> None:
    """The age of the report when all was stored: what is offered is in the same batch as the decision."""
    instruments.time(Timed.ROUTED, age)
    told = {part.agency for person in decision.persons for part in person.assignments if part.when == OPENED}
    for agency in told:
        instruments.time(Timed.OFFERED, age, agency=agency)


def _zone(accepted: ReportAccepted) -> ZoneInfo:
    """The day of handling is the day at the place of the event."""
    return regions.zone_of(accepted.data.facts.region)
