"""Alerts and dashboards are generated, valid and speak of series that exist; a real Prometheus fires a real alert."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.observing.__main__ import ROOT, files
from deploy.observing.rules import document
from services.runtime.metrics import Counted, Timed
from tests.builders import a_report
from tests.conftest import Broker
from tests.ports import free_port
from tests.running import Processes, until

DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
ALERTS = [rule for group in document()["groups"] for rule in group["rules"] if "alert" in rule]
ONLY_WITH_EVENTS = {
    "netral_webhook_attempts_total",
    "netral_mail_attempts_total",
    "netral_mail_age_seconds",
    "netral_deadline_breached_total",
    "netral_webhook_age_seconds",
    "netral_limits_overdue",
    "netral_webhooks_attention",
    "netral_cases_oldest_age_seconds",
    "netral_persons_waiting",
}
"""Series that a quiet system does not have yet; their names are checked against the instruments instead."""


def test_what_lies_in_deploy_is_what_the_code_writes():
    for path, text in files().items():
        assert path.read_text() == text, f"{path.name}: run `make schemas`"


def test_every_alert_has_a_severity_and_a_runbook_and_every_runbook_an_alert():
    for alert in ALERTS:
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert (RUNBOOKS / f"{alert['alert']}.md").read_text().startswith(f"# {alert['alert']}\n")
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_explains_each_panel_and_asks_what_can_be_asked(path):
    page = json.loads(path.read_text())
    assert page["title"]
    assert page["description"]
    panels = page["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${source}"
        for target in panel["targets"]:
            promql_parser.parse(_plain(target["expr"]))


def test_every_series_that_is_asked_for_has_an_instrument():
    ours = {i.value[0].replace(".", "_") for i in (*Timed, *Counted)}
    for name in ONLY_WITH_EVENTS - {
        "netral_limits_overdue",
        "netral_webhooks_attention",
        "netral_cases_oldest_age_seconds",
        "netral_persons_waiting",
    }:
        assert re.sub("_(total|seconds)$", "", name) in ours


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_promtool_agrees_and_each_alert_fires_on_its_trouble_only(tmp_path):
    shutil.copytree(ROOT / "prometheus", tmp_path / "p")
    (tmp_path / "p" / "metrics-token").write_text("t")
    for words in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "--lint=all", "rules.yml"],
        ["test", "rules", "rules_test.yml", "budgets_test.yml"],
    ):
        done = subprocess.run(
            ["promtool", *words], cwd=tmp_path / "p", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    tested = set(re.findall(r"alertname: (\w+)", (ROOT / "prometheus" / "rules_test.yml").read_text()))
    assert {alert["alert"] for alert in ALERTS} - tested == {"MailLate"}  # the same rule as OfferedLate


@pytest.fixture
def system(fresh_nats: Broker) -> Iterator[Processes]:
    running = Processes(fresh_nats)
    running.modules["ops"] = "services.ops"
    running.ports["ops"] = free_port()
    running.extra["NETRAL_MONITOR_PORT"] = str(fresh_nats.monitor_port)
    for name in ("smtp", "intake", "routing", "notifications", "ops"):
        running.start(name)
    yield running
    running.stop()


@pytest.mark.broker
@pytest.mark.timeout(180)
@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed (Debian: prometheus)")
async def test_prometheus_sees_every_series_and_fires_when_a_service_is_killed(system, tmp_path):
    for name in ("intake", "routing", "notifications", "ops"):
        await system.ready(name)
    async with httpx.AsyncClient() as http:
        for number in range(6):  # fewer persons would be hidden
            report = a_report(person__name=f"Orang {number}")
            assert (await http.post(system.url("intake") + "/v1/reports", json=report)).status_code == 202
        seen = await until(lambda: _seen(http, system), 60)
        missing = {name for name in _asked() if not _there(name, seen)} - ONLY_WITH_EVENTS
        assert not missing
        address = f"http://127.0.0.1:{(port := free_port())}"
        prometheus = subprocess.Popen(  # noqa: ASYNC220
            _argv(tmp_path, system, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            await until(lambda: _firing(http, address, "Watchdog"), 60)
            await until(lambda: _all_show(http, address))
            system.kill("notifications")
            fired = await until(lambda: _firing(http, address, "ServiceNotReady"), 60)
            assert fired["labels"]["netral_service"] == "notifications"
        finally:
            prometheus.kill()
            prometheus.wait()


MAY_BE_EMPTY = {"Failed requests", "Webhooks", "From event to webhook"}
"""No request failed, and nobody has a webhook. The limits of what is sent have passed, so the others show something."""


async def _all_show(http: httpx.AsyncClient, address: str) -> bool:
    """Prometheus evaluates what each panel asks, and each shows something for the reports that were sent."""
    empty = set()
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                expr = target["expr"].replace("$__rate_interval", "1m")
                expr = expr.replace("$netral_agency", "BAWASLU").replace("$job", "netral-routing")
                answer = (await http.get(f"{address}/api/v1/query", params={"query": expr})).json()
                assert answer["status"] == "success", (path.stem, panel["title"], answer)
                if not answer["data"]["result"]:
                    empty.add(panel["title"])
    return empty <= MAY_BE_EMPTY


def _argv(folder: Path, system: Processes, port: int) -> list[str]:
    """The shipped rules with waiting times of a second, and one alert that always fires: Prometheus works."""
    rules = re.sub(r"for: \w+", "for: 1s", (ROOT / "prometheus" / "rules.yml").read_text())
    (folder / "rules.yml").write_text(rules)
    (folder / "always.yml").write_text("groups: [{name: w, rules: [{alert: Watchdog, expr: vector(1)}]}]")
    (folder / "token").write_text(system.broker.settings.secret("metrics-token"))
    token = {"credentials_file": "token"}
    jobs = [
        {
            "job_name": f"netral-{name}",
            "authorization": token,
            "static_configs": [{"targets": [f"127.0.0.1:{system.ports[name]}"]}],
        }
        for name in ("intake", "routing", "notifications", "ops")
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml", "always.yml"],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    flags = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    return ["prometheus", *(f"--{name}={value}" for name, value in flags.items())]


async def _firing(http: httpx.AsyncClient, address: str, alert: str):
    try:
        found = (await http.get(f"{address}/api/v1/alerts")).json()["data"]["alerts"]
    except (httpx.HTTPError, ValueError):
        return None
    return next((a for a in found if a["labels"]["alertname"] == alert and a["state"] == "firing"), None)


async def _seen(http: httpx.AsyncClient, system: Processes):
    """Every series of every process, once the report is decided and the ops page has looked."""
    token = {"Authorization": f"Bearer {system.broker.settings.secret('metrics-token')}"}
    found: set[str] = set()
    for name in ("intake", "routing", "notifications", "ops"):
        answer = await http.get(system.url(name) + "/metrics", headers=token)
        found |= {s.name for family in text_string_to_metric_families(answer.text) for s in family.samples}
    return found if {"netral_delivery_age_seconds_count", "jetstream_consumer_num_pending"} <= found else None


def _asked() -> set[str]:
    """Every series that a rule or a dashboard names."""
    exprs = [rule["expr"] for group in document()["groups"] for rule in group["rules"]]
    exprs += [
        t["expr"] for path in DASHBOARDS for p in json.loads(path.read_text())["panels"] for t in p["targets"]
    ]
    return {
        name
        for expr in exprs
        for name in re.findall(
            r"\b(?:netral|http|messaging|jetstream|gnatsd)_\w+",
            re.sub(r"\{[^}]*\}|by \([^)]*\)", "", _plain(expr)),
        )
    }


def _there(name: str, seen: set[str]) -> bool:
    return name in seen or re.sub("_(bucket|count)$", "", name) in ONLY_WITH_EVENTS


def _plain(expr: str) -> str:
    return re.sub(r"\$\w+", "x", expr.replace("$__rate_interval", "5m"))
