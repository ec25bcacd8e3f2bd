"""One report's way is one trace: from the HTTP request through NATS into routing, notifications and SMTP."""

from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from tests.builders import a_report
from tests.conftest import Broker
from tests.flow.collector import Collector
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

DECIDING = "process reports.{report_id}.accepted"
EDGES = {
    ("netral-intake POST /v1/reports", "netral-intake INSERT reports"),
    ("netral-intake POST /v1/reports", "netral-intake publish reports.{report_id}.accepted"),
    (
        "netral-intake publish reports.{report_id}.accepted",
        "netral-routing process reports.{report_id}.accepted",
    ),
    (
        "netral-intake publish reports.{report_id}.accepted",
        "netral-notifications process reports.{report_id}.accepted",
    ),
    ("netral-routing process reports.{report_id}.accepted", "netral-routing publish cases.{case_id}.decided"),
    (
        "netral-routing publish cases.{case_id}.decided",
        "netral-notifications process cases.{case_id}.offered.{agency}.{ref}",
    ),
    (
        "netral-notifications process cases.{case_id}.offered.{agency}.{ref}",
        "netral-notifications INSERT notices",
    ),
    ("netral-notifications process cases.{case_id}.offered.{agency}.{ref}", "netral-notifications SMTP send"),
}


async def test_one_report_is_one_trace(fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    system = Processes(fresh_nats)
    try:
        for name in ("smtp", "intake", "routing", "notifications"):
            system.start(name)
        for name in ("intake", "routing", "notifications"):
            await system.ready(name)
        async with httpx.AsyncClient() as http:
            await http.post(system.url("intake") + "/v1/reports", json=a_report())
        await until(lambda: _mails(fresh_nats.data_dir / "inbox", 4), 60)
    finally:
        system.stop()
        collector.close()
    traces = defaultdict(list)
    for service, span in collector.spans():
        traces[span.trace_id].append((service, span))
    (road,) = [spans for spans in traces.values() if any(s.name == "POST /v1/reports" for _, s in spans)]
    names = {span.span_id: f"{service} {span.name}" for service, span in road}
    edges = {(names.get(span.parent_span_id), names[span.span_id]) for _, span in road}
    assert edges >= EDGES, EDGES - edges
    (handled,) = [span for _, span in road if span.name == DECIDING and "netral.rules" in str(span)]
    said = {attribute.key: attribute.value for attribute in handled.attributes}
    assert said["netral.rulebook.digest"].string_value.startswith("sha256:")
    assert said["netral.rules"].array_value.values


async def _mails(inbox: Path, count: int) -> bool:
    return inbox.exists() and len(list(inbox.glob("*.eml"))) >= count
