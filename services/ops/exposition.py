"""The figures that no single service knows, for Prometheus: the broker's own, who is ready, who holds what how long.

The broker's have the names of the usual NATS exporter, so that public dashboards fit. A scrape reads memory only.
"""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.ops.broker import BrokerFigures
from services.ops.core.snapshot import Snapshot
from services.ops.watching import Watch

_VARZ = ("connections", "slow_consumers", "mem", "in_msgs", "out_msgs", "in_bytes", "out_bytes")


def registry_of(watch: Watch) -> CollectorRegistry:
    """The registry behind the ops page's own `/metrics`."""
    registry = CollectorRegistry()
    registry.register(_LastLook(watch))
    return registry


class _LastLook(Collector):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: the names depend on what was seen."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        last = self._watch.last
        yield from _system(last)
        yield from _cases(last)
        yield from _streams(last)
        yield from _durables(last)
        if self._watch.figures:
            yield from _server(self._watch.figures)


def _system(last: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "netral_ops_looked_at_seconds", "When the ops page last looked", last.at.timestamp()
    )
    yield GaugeMetricFamily("netral_ops_blind", "What refuses to be looked at", len(last.blind))
    ready = GaugeMetricFamily("netral_service_ready", "1 where a service is ready", labels=["netral_service"])
    for name, reasons in last.services.items():
        ready.add_metric([name], 0.0 if reasons else 1.0)
    yield ready
    yield GaugeMetricFamily("netral_broker_up", "1 while the broker answers", 0.0 if last.broker else 1.0)
    yield GaugeMetricFamily(
        "netral_broker_lacking", "Streams and durables that the broker does not have", len(last.lacking)
    )
    yield GaugeMetricFamily(
        "netral_broker_servers_away",
        "Servers of a cluster that do not answer while others do",
        len(last.servers_away),
    )
    yield GaugeMetricFamily(
        "netral_broker_servers_unwell",
        "Servers of the broker that answer and are not well",
        len(last.servers_ill),
    )
    yield GaugeMetricFamily(
        "netral_jetstream_storage_ratio", "How full JetStream's storage is", last.storage_share
    )


def _cases(last: Snapshot) -> Iterator[Metric]:
    """Counts of cases under five are not exported: a single case in one place is a person."""
    yield GaugeMetricFamily("netral_cases_without_owner", "Open cases that nobody owns", last.orphans)
    since = last.matches_since
    waits = (last.at - since).total_seconds() if since else 0.0
    yield GaugeMetricFamily(
        "netral_matches_oldest_age_seconds", "How long the oldest near match waits for an answer", waits
    )
    oldest = GaugeMetricFamily(
        "netral_cases_oldest_age_seconds", "How long the oldest case waits", labels=["netral_agency"]
    )
    waiting = GaugeMetricFamily(
        "netral_persons_waiting", "Persons that a body holds", labels=["netral_agency"]
    )
    overdue = GaugeMetricFamily(
        "netral_limits_overdue", "1 where limits have passed", labels=["netral_agency"]
    )
    for row in last.ageing:
        agency = [str(row["owner"])]
        if row.get("oldest_since"):
            held = datetime.fromisoformat(str(row["oldest_since"]))
            oldest.add_metric(agency, (last.at - held).total_seconds())
        if isinstance(row.get("persons"), int):
            waiting.add_metric(agency, row["persons"])
        overdue.add_metric(agency, 1.0 if row.get("overdue") else 0.0)
    yield from (oldest, waiting, overdue)
    webhooks = GaugeMetricFamily(
        "netral_webhooks_attention",
        "1 where a human must see to an endpoint",
        labels=["netral_agency", "netral_alarm"],
    )
    for name, alarms in last.webhooks.items():
        for alarm in sorted(alarms):
            webhooks.add_metric([name, alarm.lower()], 1.0)
    yield webhooks


def _streams(last: Snapshot) -> Iterator[Metric]:
    messages = GaugeMetricFamily("jetstream_stream_total_messages", "Messages", labels=["stream_name"])
    size = GaugeMetricFamily("jetstream_stream_total_bytes", "Bytes", labels=["stream_name"])
    parked_age = GaugeMetricFamily(
        "netral_parked_oldest_age_seconds", "How long the oldest message is parked"
    )
    for stream in last.streams:
        messages.add_metric([stream.name], stream.messages)
        size.add_metric([stream.name], stream.bytes)
        if stream.name == "PARKED":
            first = stream.first_at
            parked_age.add_metric([], (last.at - first).total_seconds() if first and stream.messages else 0.0)
    yield from (messages, size, parked_age)


def _durables(last: Snapshot) -> Iterator[Metric]:
    labels = ["stream_name", "consumer_name"]
    pending = GaugeMetricFamily("jetstream_consumer_num_pending", "Not delivered yet", labels=labels)
    unacked = GaugeMetricFamily(
        "jetstream_consumer_num_ack_pending", "Delivered, not finished", labels=labels
    )
    again = GaugeMetricFamily(
        "jetstream_consumer_num_redelivered", "Delivered again, not finished", labels=labels
    )
    done = GaugeMetricFamily("jetstream_consumer_ack_floor_consumer_seq", "Finished", labels=labels)
    still = GaugeMetricFamily(
        "netral_consumer_still_seconds",
        "A durable of our own has work and finishes nothing for",
        labels=labels,
    )
    for durable in last.durables:
        key = [durable.stream, durable.name]
        pending.add_metric(key, durable.pending)
        unacked.add_metric(key, durable.unacknowledged)
        again.add_metric(key, durable.redelivered)
        done.add_metric(key, durable.delivered)
        if durable.ours:
            still.add_metric(key, (last.at - durable.moved_at).total_seconds())
    yield from (pending, unacked, again, done, still)


def _server(figures: BrokerFigures) -> Iterator[Metric]:
    for name in _VARZ:
        kind = CounterMetricFamily if name.startswith(("in_", "out_")) else GaugeMetricFamily
        family = kind(f"gnatsd_varz_{name}", f"nats-server: {name}", labels=["server_id"])
        for server in figures.servers:
            family.add_metric([server.name], float(server.varz.get(name, 0)))
        yield family
