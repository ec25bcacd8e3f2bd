"""What the ops page concludes: each trouble has a name, a runbook, and two languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.ops.core.objectives import Share
from services.ops.core.snapshot import Durable, Snapshot, Stream, next_durable
from services.ops.core.verdicts import verdicts

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
WELL = Snapshot(NOW, services={"intake": "", "routing": ""}, streams=(Stream("PARKED", 0, 0, None),))
BUSY = Durable("REPORTS", "routing", 7, 1, 0, 100, NOW)
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"

TROUBLES = {
    "ServiceNotReady": replace(WELL, services={"intake": "the broker is not connected yet"}),
    "BrokerAway": replace(WELL, broker="ConnectError"),
    "BrokerUnwell": replace(WELL, servers_ill=("nats: JetStream stream 'CASES' write error",)),
    "JetStreamStorage": replace(WELL, storage_share=0.81),
    "MessagesParked": replace(WELL, streams=(Stream("PARKED", 2, 9, NOW - timedelta(hours=1)),)),
    "ConsumerStalled": replace(WELL, durables=(replace(BUSY, moved_at=NOW - timedelta(seconds=31)),)),
    "NotProvisioned": replace(WELL, lacking=("notifications-offered",)),
    "ReportsApart": replace(WELL, apart=("vault",)),
    "StreamLost": replace(WELL, lost=("CASES",)),
    "OpsBlind": replace(WELL, blind=("http://routing/v1/operator/stats answers 401",)),
    "CasesWithoutOwner": replace(WELL, orphans=1),
    "MatchesWaiting": replace(WELL, matches_since=NOW - timedelta(days=5, seconds=1)),
    "LimitsOverdue": replace(WELL, ageing=({"owner": "PPK", "overdue": "<5"},)),
    "MailFailing": replace(WELL, in_vain=3),
    "RoutingSlow": replace(WELL, late={"RoutingSlow": Share(3, 200)}),
    "OfferedLate": replace(WELL, late={"OfferedLate": Share(3, 200)}),
    "MailLate": replace(WELL, late={"MailLate": Share(3, 20)}),
    "DoorErrors": replace(WELL, failed={"/v1/reports": Share(3, 299)}),
    "WebhookFailing": replace(WELL, webhooks={"BKN": frozenset({"GONE"}), "KPU": frozenset()}),
}


def test_nothing_is_wrong_when_all_is_well():
    assert verdicts(WELL) == []
    assert verdicts(replace(WELL, matches_since=NOW - timedelta(days=5))) == []
    assert verdicts(replace(WELL, durables=(BUSY,), ageing=({"owner": "PPK", "overdue": 0},))) == []
    accidents = {"RoutingSlow": Share(2, 2), "OfferedLate": Share(3, 900), "MailLate": Share(3, 30)}
    assert verdicts(replace(WELL, late=accidents, failed={"/a": Share(2, 2), "/b": Share(3, 300)})) == []


def test_the_page_knows_every_alert():
    assert set(TROUBLES) == {path.stem for path in RUNBOOKS.glob("*.md")}


@pytest.mark.parametrize("alert", TROUBLES)
def test_each_trouble_has_its_name_and_a_runbook(alert):
    [verdict] = verdicts(TROUBLES[alert])
    assert verdict.alert == alert
    assert verdict.id
    assert verdict.en
    book = (RUNBOOKS / f"{alert}.md").read_text()
    assert book.startswith(f"# {alert}")
    assert all(f"## {part}" in book for part in ("What it means", "Look", "Mend", "Afterwards"))


def test_a_server_of_a_cluster_that_is_away_can_wait_until_morning():
    [verdict] = verdicts(replace(WELL, servers_away=("http://nats-2:8222 (ConnectError)",)))
    assert (verdict.alert, verdict.page) == ("BrokerAway", False)


def test_an_age_is_said_in_the_language_of_its_sentence():
    [matches] = verdicts(TROUBLES["MatchesWaiting"])
    assert "tertua 5.0 hari" in matches.id
    assert "the oldest for 5.0 days" in matches.en
    [parked] = verdicts(TROUBLES["MessagesParked"])
    assert "tertua 1.0 jam" in parked.id


def test_what_cannot_wait_comes_first():
    both = replace(TROUBLES["MessagesParked"], orphans=1)
    assert [verdict.alert for verdict in verdicts(both)] == ["CasesWithoutOwner", "MessagesParked"]


def test_a_durable_stands_still_only_while_it_has_work_and_finishes_nothing():
    later = NOW + timedelta(seconds=60)
    seen = replace(BUSY, moved_at=later)
    assert next_durable({"routing": BUSY}, seen).moved_at == NOW
    assert next_durable({"routing": BUSY}, replace(seen, delivered=101)).moved_at == later
    assert next_durable({"routing": BUSY}, replace(seen, pending=0, unacknowledged=0)).moved_at == later
    assert next_durable({"routing": BUSY}, replace(seen, pending=3)).moved_at == later
    assert next_durable({}, seen).moved_at == later


def test_an_agency_that_does_not_read_its_stream_wakes_nobody():
    theirs = Durable("TOLD", "BAWASLU-kabkota-16-07", 7, 1, 0, 100, NOW - timedelta(days=1))
    assert verdicts(replace(WELL, durables=(theirs,))) == []
