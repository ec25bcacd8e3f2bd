"""What is recorded of a group of messages: one span with a link to each sender, and for each message its own log line."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind

from contracts.topology import Consumer, template_of
from services.runtime.clock import Clock, now
from services.runtime.logs import log, where
from services.runtime.metrics import Counted, Timed
from services.runtime.spans import LEVELS, OLD, delivery_of, ids_in, noting
from services.runtime.telemetry import Telemetry, child_of, instruments_of, mark_failed, sender_of, tracer_of

_MOST_LINKS = 128
"""What the SDK keeps of a span's links by default."""


@dataclass
class Record:
    """What became of a group. `problem` is what its handler raised; `apart` if its messages are then handled alone."""

    problem: Exception | None = None
    apart: bool = False
    notes: dict[str, object] = field(default_factory=dict)

    def failed(self, problem: Exception, *, apart: bool) -> None:
        """Remember why; what becomes of the messages may be noted afterwards."""
        self.problem, self.apart = problem, apart

    @property
    def outcome(self) -> str:
        """handled, parked or retry."""
        return str(self.notes.get("outcome", "retry")) if self.problem else "handled"


class GroupTelemetry:
    """For one durable. A group comes from any number of traces and begins one of its own; one message goes on in its own."""

    def __init__(
        self,
        telemetry: Telemetry | None,
        consumer: Consumer,
        log: Callable[..., None] = log,
        *,
        clock: Clock = now,
    ) -> None:
        self._tracer, self._made = tracer_of(telemetry), instruments_of(telemetry)
        self._consumer, self._log, self._clock = consumer, log, clock

    @contextmanager
    def handling(self, group: Sequence[Msg]) -> Iterator[Record]:
        """Record what happens to a group. Of one that is taken apart each message speaks for itself."""
        senders = [sender_of(message.headers or {}) for message in group]
        record, started = Record(), self._clock()
        with self._span(group, senders) as span, noting(record.notes):
            yield record
            if record.problem:
                mark_failed(span, type(record.problem).__name__)
            span.set_attribute("netral.outcome", record.outcome)
        if record.apart:
            return
        taken = self._clock() - started
        self._measure(group, record.outcome, taken)
        facts, within = _of_all(record, taken, len(group)), span.get_span_context()
        for message, sender in zip(group, senders, strict=True):
            self._say(message, facts, sender or within)

    @contextmanager
    def _span(self, group: Sequence[Msg], senders: Sequence[SpanContext | None]) -> Iterator[trace.Span]:
        name, alone = self._consumer.filters[0], len(group) == 1 and self._fresh(group[0])
        span = self._tracer.start_span(
            f"process {name}",
            context=child_of(senders[0] if alone else None),
            kind=SpanKind.CONSUMER,
            links=[Link(sender) for sender in senders[:_MOST_LINKS] if sender],
            attributes={
                "messaging.system": "nats",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": name,
                "messaging.destination.template": name,
                "messaging.batch.message_count": len(group),
                "messaging.consumer.group.name": self._consumer.name,
                "messaging.nats.stream": self._consumer.stream,
            },
        )
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield span

    def _fresh(self, message: Msg) -> bool:
        return bool(self._clock() - message.metadata.timestamp < OLD)

    def _say(self, message: Msg, facts: dict[str, Any], within: SpanContext) -> None:
        template = template_of(message.subject)
        mine = {
            "destination": template,
            **ids_in(template, message.subject),
            **delivery_of(message),
            "trace_id": trace.format_trace_id(within.trace_id) if within.is_valid else None,
        }
        self._log("message.handled", **{**facts, **mine})

    def _measure(self, group: Sequence[Msg], outcome: str, taken: timedelta) -> None:
        consumer, made = self._consumer.name, self._made
        made.time(Timed.HANDLED, taken.total_seconds(), consumer=consumer, outcome=outcome)
        made.count(Counted.CONSUMED, len(group), consumer=consumer, outcome=outcome)
        if again := sum(message.metadata.num_delivered != 1 for message in group):
            made.count(Counted.REDELIVERED, again, consumer=consumer)
        if outcome == "parked":
            made.count(Counted.PARKED, len(group), consumer=consumer)


def _of_all(record: Record, taken: timedelta, together: int) -> dict[str, Any]:
    """What the lines of all messages of a group say."""
    problem = record.problem
    return {
        **record.notes,
        "level": LEVELS.get(record.outcome, "ERROR"),
        "duration_ms": round(taken / timedelta(milliseconds=1), 1),
        "together": together,
        "outcome": record.outcome,
        "error": problem and type(problem).__name__,
        "where": problem and where(problem),
    }
