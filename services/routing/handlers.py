"""What routing does with each message: decide, remember, tell; and keep the views in step."""

from collections.abc import Awaitable
from zoneinfo import ZoneInfo

from faststream.nats import NatsBroker, NatsMessage
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from contracts import regions
from contracts.codes import OPENED
from contracts.decision import Decision
from contracts.events import (
    AnyEvent,
    CaseDecided,
    CaseStepped,
    Event,
    NoticeSent,
    ReportAccepted,
    ReportResembles,
)
from services.routing.core.fanout import decided, following, linked
from services.routing.core.life import life_of
from services.routing.delivery.push import Push
from services.routing.law import Law
from services.routing.limits_watch import Limits, Spoken
from services.routing.parking import park_what_was_given_up
from services.routing.timekeeping import Timekeeping
from services.routing.timers import Firing
from services.routing.views import Entry, Views
from services.runtime.clock import Clock
from services.runtime.messaging import Bus, TryLater, durable
from services.runtime.metrics import SILENT, Instruments, Timed
from services.runtime.spans import note
from services.runtime.telemetry import trace_headers

SKEW = 60.0
"""Seconds the broker's clock may be ahead of ours; a limit that fires earlier than that is left to the sweep."""

_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def subscribe(
    broker: NatsBroker, *, law: Law, bus: Bus, clock: Clock, instruments: Instruments = SILENT
) -> None:
    """Bind what routing does with reports, and with messages that were given up, to its durables."""

    @broker.subscriber(**durable("routing"))
    async def on_report_accepted(message: NatsMessage) -> None:
        accepted = ReportAccepted.model_validate_json(message.body)
        decision = await open_case(accepted, law, bus, clock)
        _measure(instruments, (clock() - accepted.time).total_seconds(), decision)

    @broker.subscriber(**durable("routing-advisories"))
    async def on_advisory(message: NatsMessage) -> None:
        await park_what_was_given_up(bus.js, message.body)


def subscribe_case_events(broker: NatsBroker, *, views: Views, clock: Clock, time: Timekeeping) -> None:
    """Bind what keeps read model and timers in step with the cases to its durables."""

    @broker.subscriber(**durable("routing-projection"))
    async def on_case_event(message: NatsMessage) -> None:
        event = _ANY.validate_json(message.body)
        await _kept(views, message, event)
        if isinstance(event, CaseDecided | CaseStepped):
            first = message.raw_message.metadata.num_delivered == 1
            await _waiting_for_the_database(time.timers.follow(event, first=first))

    @broker.subscriber(**durable("routing-timers"))
    async def on_timer(message: NatsMessage) -> None:
        await _fired(time.limits, clock, Firing.model_validate_json(message.body))

    @broker.subscriber(**durable("routing-resembles"))
    async def on_resemblance(message: NatsMessage) -> None:
        await _kept(views, message, ReportResembles.model_validate_json(message.body))

    @broker.subscriber(**durable("routing-notices"))
    async def on_notice(message: NatsMessage) -> None:
        await _kept(views, message, NoticeSent.model_validate_json(message.body))


async def open_case(accepted: ReportAccepted, law: Law, bus: Bus, clock: Clock) -> Decision:
    """Decide on a report and tell what follows; for a case that stands already, only what is missing. Raises BrokerAway."""
    at = clock()
    day = at.astimezone(_zone(accepted)).date()
    decision, matters, *_ = life_of(accepted.data.facts, day, (), (), law.judge)
    note(rulebook=decision.rulebook.version, persons=len(decision.persons))
    link = linked(accepted, at)
    await bus.tell_case(
        decided(accepted, decision, at, matters),
        lambda raw: [*following(CaseDecided.model_validate_json(raw)), link],
    )
    return decision


async def _fired(limits: Limits, clock: Clock, firing: Firing) -> None:
    spoken = await limits.speak(firing)
    note(case_id=str(firing.case_id), limit=firing.level, spoken=spoken.value)
    if spoken is Spoken.EARLY and (wait := (firing.at - clock()).total_seconds()) < SKEW:
        raise TryLater(max(wait, 0.1))


def subscribe_push(broker: NatsBroker, push: Push) -> None:
    """Bind push to its durable: whatever receivers do, the others go on."""

    @broker.subscriber(**durable("routing-deliveries"))
    async def on_told(message: NatsMessage) -> None:
        where = message.raw_message.metadata
        await push.hear(where.sequence.stream, message.body, trace_headers().get("traceparent"))


def _measure(instruments: Instruments, age: float, decision: Decision) -> None:
    """The age of the report when all was stored: what is offered is in the same batch as the decision."""
    instruments.time(Timed.ROUTED, age)
    told = {part.agency for person in decision.persons for part in person.assignments if part.when == OPENED}
    for agency in told:
        instruments.time(Timed.OFFERED, age, agency=agency)


async def _kept(views: Views, message: NatsMessage, event: Event) -> None:
    where = message.raw_message.metadata
    await _waiting_for_the_database(views.keep(Entry(where.stream, where.sequence.stream, event)))


async def _waiting_for_the_database(work: Awaitable[None]) -> None:
    """A database that is away is waited for: the event is safe in its stream."""
    try:
        await work
    except SQLAlchemyError:
        raise TryLater(5) from None


def _zone(accepted: ReportAccepted) -> ZoneInfo:
    """The day of handling is the day at the place of the event."""
    return regions.zone_of(accepted.data.facts.region)
