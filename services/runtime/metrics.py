"""The instruments of a process: what is counted and timed, under one name each. docs/telemetry.md explains every one.

Attributes are codes, templates and agencies; a case, a person or an address is never one, so series do not grow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, NoOpMeter, Observation

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The boundaries that OpenTelemetry advises for durations of requests and messages."""
AGES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0, 604_800.0, 2_592_000.0)
"""From a tenth of a second to thirty days: how old a report is when something has become of it."""


class Timed(Enum):
    """Histograms in seconds: name, boundaries and what they tell."""

    HTTP_SERVED = "http.server.request.duration", SECONDS, "Time to answer a request"
    HTTP_CALLED = "http.client.request.duration", SECONDS, "Time until an agency's endpoint answered"
    HANDLED = "messaging.process.duration", SECONDS, "Time to handle a message, or a group of them"
    PUBLISHED = "messaging.client.operation.duration", SECONDS, "Time until the broker acknowledged"
    ROUTED = "netral.report.routed.age", AGES, "Age of a report when its case was decided"
    OFFERED = "netral.delivery.age", AGES, "Age of a report when an agency was offered its part"
    MAILED = "netral.mail.age", AGES, "Time from when a mail was due until the mail server took it"
    PUSHED = "netral.webhook.age", AGES, "Age of an event when an agency's endpoint took it"


class Counted(Enum):
    """Counters: name and what they count."""

    ACCEPTED = "netral.reports.accepted", "Reports accepted at the door"
    APART = "netral.reports.apart", "Reports of a sample that the vault or the stream does not hold"
    LOST = "netral.stream.lost", "Looks at a stream that did not hold any more what it held"
    CONSUMED = "messaging.client.consumed.messages", "Deliveries to a handler"
    REDELIVERED = "netral.message.redeliveries", "Deliveries after the first one"
    LET_GO = "netral.http.let_go", "Connections closed because they kept the door waiting"
    PARKED = "netral.message.parked", "Messages put aside for a person"
    BREACHED = "netral.deadline.breached", "Limits of an agency that passed"
    MAILS = "netral.mail.attempts", "Tries to hand a mail to the server"
    WEBHOOKS = "netral.webhook.attempts", "Tries to hand an event to an agency's endpoint"


Counts = dict[frozenset[tuple[str, str]], int]
"""What was counted under one name, by its labels."""


@dataclass(frozen=True)
class Instruments:
    """Every instrument, made once; recording never fails. Counts wait here until they are asked for: far cheaper."""

    timed: Mapping[Timed, Histogram]
    counted: Mapping[Counted, Counts]

    def time(self, what: Timed, seconds: float, **labels: str) -> None:
        """Record a duration or age in seconds; a clock that went back gives no negative age."""
        self.timed[what].record(max(0.0, seconds), _named(labels))

    def count(self, what: Counted, number: int = 1, **labels: str) -> None:
        """Add to a counter."""
        counts, key = self.counted[what], frozenset(labels.items())
        counts[key] = counts.get(key, 0) + number


def instruments(meter: Meter) -> Instruments:
    """The instruments of one meter."""
    timed = {
        t: meter.create_histogram(t.value[0], "s", t.value[2], explicit_bucket_boundaries_advisory=t.value[1])
        for t in Timed
    }
    counted: dict[Counted, Counts] = {c: {} for c in Counted}
    for c, counts in counted.items():
        meter.create_observable_counter(c.value[0], [_observed(counts)], "1", c.value[1])
    return Instruments(timed, counted)


def _observed(counts: Counts) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(number, _named(dict(key))) for key, number in list(counts.items())]

    return observe


SILENT = instruments(NoOpMeter("netral"))
"""Instruments that record nothing, for a part that was given no telemetry."""


def _named(labels: Mapping[str, str]) -> dict[str, str]:
    """Python's names have no dots: `http_route` is written `http.route`, `error_type` `error.type`."""
    return {_NAMES.get(name, name): value for name, value in labels.items() if value}


_NAMES = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
    "destination": "messaging.destination.template",
    "consumer": "messaging.consumer.group.name",
    "stream": "netral.stream",
    "agency": "netral.agency",
    "outcome": "netral.outcome",
    "channel": "netral.channel",
    "kind": "netral.kind",
}
