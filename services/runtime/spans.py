"""What is recorded of a message: a span where it is published, a span and a log line where it is handled.

The names follow OpenTelemetry's messaging conventions 1.44; `messaging.nats.*` and `netral.*` are ours.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from faststream import BaseMiddleware
from faststream.exceptions import AckMessage, HandlerException, NackMessage, SkipMessage
from nats.aio.msg import Msg
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind

from contracts.topology import template_of
from services.runtime.clock import Clock, now
from services.runtime.logs import log, where
from services.runtime.metrics import Counted, Timed
from services.runtime.telemetry import (
    Telemetry,
    child_of,
    instruments_of,
    is_unrecorded,
    mark_failed,
    sender_of,
    trace_headers,
    tracer_of,
)

OLD = timedelta(minutes=15)
"""A message that waited longer starts a new trace, linked to the old one: a case lasts weeks."""
_IDS = {"{case_id}": "case_id", "{report_id}": "report_id"}
LEVELS = {"handled": "INFO", "retry": "WARNING"}

_noted: ContextVar[dict[str, object] | None] = ContextVar("noted", default=None)


def note(**facts: object) -> None:
    """Add facts (codes, ids, numbers) to the log line of the message being handled; elsewhere nothing."""
    if (noted := _noted.get()) is not None:
        noted.update(facts)


@contextmanager
def noting(notes: dict[str, object]) -> Iterator[None]:
    """Let `note` write here."""
    token = _noted.set(notes)
    try:
        yield
    finally:
        _noted.reset(token)


@contextmanager
def publish_headers(
    telemetry: Telemetry | None, nats_subject: str, **attributes: str | int
) -> Iterator[dict[str, str]]:
    """The span of one publish (a message, or a batch named after its first); yields the headers to send."""
    if is_unrecorded():
        yield trace_headers()
        return
    template = template_of(nats_subject)
    span = tracer_of(telemetry).start_span(
        f"publish {template}",
        kind=SpanKind.PRODUCER,
        attributes={**_destination("publish", "send", template, nats_subject), **attributes},
    )
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield trace_headers()
        except BaseException as problem:
            mark_failed(span, type(problem).__name__)
            raise


class HandlerTelemetry:
    """A FastStream broker middleware: one CONSUMER span and one log line `message.handled` for each message.

    FastStream 0.7.8 nests, from the outside: its acknowledgement, its logging, then the broker's middlewares
    in the order of `NatsBroker(middlewares=…)`; `after_processed` runs from the inside out. So this one comes
    first: it sees what the failure table made of an exception, just before FastStream acknowledges. It works
    from `on_receive` to `after_processed`, because a message that cannot be parsed never reaches
    `consume_scope`.
    """

    def __init__(
        self, telemetry: Telemetry | None, log: Callable[..., None] = log, *, clock: Clock = now
    ) -> None:
        self.tracer = tracer_of(telemetry)
        self.instruments = instruments_of(telemetry)
        self.log = log
        self.clock = clock

    def __call__(self, msg: Any, /, *, context: Any) -> "_Handling":
        return _Handling(msg, context=context, kit=self)


class _Handling(BaseMiddleware[Any, Any]):
    _span: Span
    _started: datetime
    _span_token: Token[Context]
    _note_token: Token[dict[str, object] | None]

    def __init__(self, msg: Any, /, *, context: Any, kit: HandlerTelemetry) -> None:
        super().__init__(msg, context=context)
        self._kit = kit
        self._facts: dict[str, object] = {}
        self._notes: dict[str, object] = {}

    async def on_receive(self) -> None:
        raw: Msg = self.msg
        self._started = self._kit.clock()
        template = template_of(raw.subject)
        self._facts = {"destination": template, **ids_in(template, raw.subject), **delivery_of(raw)}
        sender = sender_of(raw.headers or {})
        fresh = self._started - raw.metadata.timestamp < OLD
        self._span = self._kit.tracer.start_span(
            f"process {template}",
            context=child_of(sender if fresh else None),
            kind=SpanKind.CONSUMER,
            links=[Link(sender, {"netral.link.reason": "created" if fresh else "created_long_ago"})]
            if sender
            else [],
            attributes={**_destination("process", "process", template, raw.subject), **_received(raw)},
        )
        self._span_token = otel_context.attach(trace.set_span_in_context(self._span))
        self._note_token = _noted.set(self._notes)

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool:
        """Record the outcome; the exception goes on to FastStream."""
        _noted.reset(self._note_token)
        otel_context.detach(self._span_token)
        outcome, error = outcome_of(exc_val, self._notes)
        self._span.set_attribute("netral.outcome", outcome)
        if error is not None:
            mark_failed(self._span, error)
        self._span.end()
        self._say(outcome, error, exc_val)
        self._measure(outcome)
        return False

    def _measure(self, outcome: str) -> None:
        consumer, made = str(self._facts["consumer"]), self._kit.instruments
        taken = (self._kit.clock() - self._started).total_seconds()
        made.time(Timed.HANDLED, taken, consumer=consumer, outcome=outcome)
        made.count(Counted.CONSUMED, consumer=consumer, outcome=outcome)
        if self._facts["delivery"] != 1:
            made.count(Counted.REDELIVERED, consumer=consumer)
        if outcome == "parked":
            made.count(Counted.PARKED, consumer=consumer)

    def _say(self, outcome: str, error: str | None, problem: BaseException | None) -> None:
        within = self._span.get_span_context()
        facts = {
            **self._notes,
            **self._facts,
            "level": LEVELS.get(outcome, "ERROR"),
            "duration_ms": round((self._kit.clock() - self._started) / timedelta(milliseconds=1), 1),
            "outcome": outcome,
            "error": error,
            "where": None if problem is None else where(_cause(problem)),
            "trace_id": trace.format_trace_id(within.trace_id) if within.is_valid else None,
            "span_id": trace.format_span_id(within.span_id) if within.is_valid else None,
        }
        self._kit.log("message.handled", **facts)


def outcome_of(problem: BaseException | None, notes: dict[str, object]) -> tuple[str, str | None]:
    """What became of a message (handled, retry, parked, failed), and the type of the error if any."""
    noted = notes.get("error")
    error = str(noted) if noted is not None else None
    if problem is not None and error is None and not isinstance(_cause(problem), HandlerException):
        error = type(_cause(problem)).__name__
    match problem:
        case None | AckMessage():
            return str(notes.get("outcome", "handled")), error
        case NackMessage() | SkipMessage() | asyncio.CancelledError():
            return "retry", error
        case _:
            return "failed", error or type(problem).__name__


def ids_in(template: str, nats_subject: str) -> dict[str, str]:
    """`case_id` and `report_id`, as far as the subject of this template holds them."""
    named = zip(template.split("."), nats_subject.split("."), strict=False)
    return {_IDS[part]: value for part, value in named if part in _IDS}


def _cause(problem: BaseException) -> BaseException:
    """The exception behind one of FastStream's instructions (ack, nack, …), or the exception itself."""
    if isinstance(problem, HandlerException) and problem.__context__ is not None:
        return problem.__context__
    return problem


def _destination(name: str, kind: str, template: str, nats_subject: str) -> dict[str, str]:
    ids = ids_in(template, nats_subject).items()
    return {
        "messaging.system": "nats",
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
        "messaging.destination.name": template,
        "messaging.destination.template": template,
        **{f"netral.{key.removesuffix('_id')}.id": value for key, value in ids},
    }


def _received(raw: Msg) -> dict[str, str | int]:
    meta = raw.metadata
    message_id = (raw.headers or {}).get("Nats-Msg-Id")
    return {
        "messaging.consumer.group.name": meta.consumer,
        "messaging.nats.stream": meta.stream,
        "messaging.nats.stream.sequence": meta.sequence.stream,
        "messaging.nats.delivery.count": meta.num_delivered,
        **({"messaging.message.id": message_id} if message_id else {}),
    }


def delivery_of(raw: Msg) -> dict[str, str | int]:
    """Which delivery of what this is, for a log line."""
    meta = raw.metadata
    return {
        "stream": meta.stream,
        "consumer": meta.consumer,
        "seq": meta.sequence.stream,
        "delivery": meta.num_delivered,
    }
