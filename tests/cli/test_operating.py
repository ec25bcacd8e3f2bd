"""The operator's commands against the real broker and the real routing service."""

import asyncio
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats as nats_client
import pytest
import uvicorn

from contracts.door import read_report
from contracts.events import ReportAccepted
from contracts.ids import case_id_of, report_id_of
from contracts.topology import CONSUMERS
from services.intake.core.acceptance import accept
from services.routing.app import build_app
from services.routing.rulebook_files import HERE
from services.routing.settings import RoutingSettings
from services.runtime.bus import Bus
from services.runtime.connecting import connection
from services.runtime.failures import park
from tests.cli.conftest import Netral
from tests.conftest import Broker
from tests.ports import free_port

pytestmark = pytest.mark.broker

TICKET = "NTR-0000-0000-0000-0001"
CASE = str(case_id_of(report_id_of(TICKET)))
RECEIVED = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture
def operated(netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch) -> Netral:
    """`netral` with the settings of a running broker."""
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    monkeypatch.setenv("NETRAL_NATS_URL", fresh_nats.settings.nats_url)
    return netral


@pytest.fixture
def routed(
    operated: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch, report: dict[str, Any]
) -> Iterator[Netral]:
    """`netral` with a routing service that has decided one case."""
    port = free_port()
    monkeypatch.setenv("NETRAL_ROUTING_PORT", str(port))
    given = fresh_nats.settings
    settings = RoutingSettings(data_dir=given.data_dir, nats_url=given.nats_url, routing_port=port)
    server = uvicorn.Server(uvicorn.Config(build_app(settings), port=port, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    asyncio.run(
        tell(fresh_nats, accept(read_report(report, RECEIVED.date()), TICKET, RECEIVED, b"a door key").event)
    )
    until(lambda: "BAWASLU" in operated("case", TICKET).out)
    yield operated
    server.should_exit = True
    thread.join()


async def tell(broker: Broker, event: ReportAccepted) -> None:
    bus = await Bus.connect(broker.settings, "intake")
    await bus.tell([event])
    await bus.close()


async def park_one(broker: Broker) -> None:
    nc = await nats_client.connect(**connection(broker.settings, "routing"))
    where = {
        "subject": f"reports.{report_id_of(TICKET)}.accepted",
        "stream": "REPORTS",
        "consumer": "routing",
    }
    await park(nc.jetstream(), b"{}", **where, seq=1, deliveries=10, reason="not a message of ours")
    await nc.close()


def until(true: Any) -> None:
    while not true():
        time.sleep(0.05)


def test_a_case_is_found_by_its_id_its_report_and_its_ticket(routed: Netral) -> None:
    stories = {routed("case", name).out for name in (CASE, report_id_of(TICKET), TICKET, TICKET.lower())}
    assert len(stories) == 1
    story = stories.pop()
    assert f"Case {CASE}  ({TICKET})" in story
    assert "BAWASLU kabkota:52.04: p1 offered, to act" in story
    assert "GAKKUMDU: post_kind is FUNGSIONAL, needs STRUKTURAL" in story


def test_a_case_for_a_script_is_the_answer_of_the_service(routed: Netral) -> None:
    story = json.loads(routed("case", TICKET, "--json").out)
    assert (story["case_id"], story["state"]) == (CASE, "OPEN")
    assert story["decision"]["schema"] == "netral.decision.v1"


def test_a_case_nobody_knows_is_bad_input(routed: Netral) -> None:
    ran = routed("case", "NTR-9999-9999-9999-9999")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "case NTR-9999-9999-9999-9999: is not known; check the spelling\n"


def test_an_inbox_shows_what_is_active_now(routed: Netral) -> None:
    ran = routed("inbox", "bawaslu")
    assert ran.code == 0
    assert all(
        word in ran.out for word in (TICKET, "Kabupaten Sumbawa", "ACTION", "within 7 calendar days of KNOWN")
    )
    assert "STUDY_CONCLUDED" not in ran.out
    assert routed("inbox", "PPK").out == "The inbox of PPK is empty.\n"
    assert routed("inbox", "BAWASLU", "--office", "kabkota:52.05").out == "The inbox of BAWASLU is empty.\n"
    assert "cursor is the next_cursor you were given" in routed("inbox", "BAWASLU", "--cursor", "x").err
    assert [item["case_id"] for item in json.loads(routed("inbox", "BAWASLU", "--json").out)["cases"]] == [
        CASE
    ]


def test_an_agency_that_does_not_exist_is_bad_input(routed: Netral) -> None:
    ran = routed("inbox", "BAWSLU")
    assert (ran.code, ran.err) == (2, "BAWSLU: is not an agency; did you mean BAWASLU?\n")


def test_a_key_that_routing_does_not_know_is_explained(routed: Netral, fresh_nats: Broker) -> None:
    keys = fresh_nats.data_dir / "secrets" / "agency-keys.json"
    keys.write_text(json.dumps({"OPERATOR": "wrong"}))
    ran = routed("case", CASE)
    assert ran.code == 1
    assert "agency-keys.json is not the one routing knows" in ran.err
    assert "holds no key of BKN" in routed("inbox", "BKN").err


def test_nothing_parked_is_said_so(operated: Netral) -> None:
    assert operated("parked").out == "Nothing is parked.\n"
    assert operated("parked", "replay", "--all").out == "Nothing is parked.\n"
    ran = operated("parked", "replay", "7")
    assert (ran.code, ran.err) == (
        2,
        "parked replay: no message is parked as 7; `netral parked` lists them\n",
    )


def test_a_parked_message_is_listed_with_its_reason_and_given_back(
    operated: Netral, fresh_nats: Broker
) -> None:
    asyncio.run(park_one(fresh_nats))
    assert "not a message of ours" in operated("parked").out
    letter = json.loads(operated("parked", "list", "--json").out)[0]
    assert (letter["consumer"], letter["deliveries"]) == ("routing", 10)
    assert "parked: 1 messages need a person" in operated("doctor").out
    assert operated("parked", "replay", str(letter["seq"])).out == "1 given back.\n"
    assert operated("parked").out == "Nothing is parked.\n"


def test_what_can_never_be_handled_is_taken_out_by_its_number(operated: Netral, fresh_nats: Broker) -> None:
    asyncio.run(park_one(fresh_nats))
    [letter] = json.loads(operated("parked", "list", "--json").out)
    assert operated("parked", "drop", str(letter["seq"])).code == 0
    assert operated("parked").out == "Nothing is parked.\n"
    assert operated("parked", "drop", str(letter["seq"])).code == 2


@pytest.mark.parametrize("words", [(), ("3", "--all")])
def test_replaying_needs_one_number_or_all(operated: Netral, words: tuple[str, ...]) -> None:
    assert operated("parked", "replay", *words).code == 2


def test_provision_mends_and_doctor_sees_the_drift(operated: Netral, fresh_nats: Broker) -> None:
    asyncio.run(forget_a_consumer(fresh_nats))
    findings = {item["what"]: item for item in json.loads(operated("doctor", "--json").out)}
    assert findings["streams"]["verdict"] == findings[f"consumer {CONSUMERS[0].name}"]["verdict"] == "fail"
    assert findings["streams"]["cure"] == "run `netral provision`"
    ran = operated("provision")
    assert (ran.code, ran.err) == (0, "")
    assert (
        f"consumer {CONSUMERS[0].stream}/{CONSUMERS[0].name}: existence is missing, wanted there; mended"
        in ran.out
    )
    assert operated("provision").out == "Streams and consumers are as the topology table says.\n"
    assert "ok   streams: as the topology table says" in operated("doctor").out


async def forget_a_consumer(broker: Broker) -> None:
    nc = await nats_client.connect(**connection(broker.settings, "operator"))
    await nc.jetstream().delete_consumer(CONSUMERS[0].stream, CONSUMERS[0].name)
    await nc.close()


def test_doctor_names_a_broker_that_is_away_and_the_cure(operated: Netral, fresh_nats: Broker) -> None:
    fresh_nats.stop()
    ran = operated("doctor")
    assert ran.code == 1
    assert "the broker does not answer\n     cure: start it with `netral up`" in ran.out
    ran = operated("provision")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_doctor_sees_a_wrong_password_and_open_secrets(operated: Netral, fresh_nats: Broker) -> None:
    secret = fresh_nats.data_dir / "secrets" / "nats-operator"
    secret.write_text("wrong")
    secret.chmod(0o644)
    out = operated("doctor").out
    assert "refuses the operator" in out
    assert "fail secrets: nats-operator can be read by other users" in out


def test_doctor_counts_mails_that_were_given_up(operated: Netral, fresh_nats: Broker, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(fresh_nats.data_dir / "notifications.db") as ledger:
        ledger.execute("CREATE TABLE notices (state TEXT)")
        ledger.executemany("INSERT INTO notices VALUES (?)", [("SENT",), ("FAILED",), ("UNKNOWN",)])
    ledger.close()
    assert "warn mails: 1 given up, 1 of unknown outcome" in operated("doctor").out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged rulebook as another version."""
    copy = Path(shutil.copytree(HERE, tmp_path / "next"))
    cover = copy / "book.yaml"
    cover.write_text(re.sub(r"(?m)^version: .*$", 'version: "2027.1.0"', cover.read_text("utf-8")), "utf-8")
    return copy


def test_a_loaded_rulebook_is_the_law_and_older_cases_are_explained_and_reproduced_by_their_own(
    routed: Netral, folder: Path
) -> None:
    before = routed("explain", TICKET).out
    ran = routed("rules", "load", folder)
    assert (ran.code, ran.err) == (0, "")
    assert re.match(r"ok: skb-netralitas-asn 2027\.1\.0 is the law since \S+ \(change 2\)\nsha256:", ran.out)
    assert routed("explain", TICKET).out == before
    assert "1 decisions: 1 reproduced byte for byte" in routed("rules", "replay").out
    doctor = json.loads(routed("doctor", "--json").out)
    (law,) = (finding for finding in doctor if finding["what"] == "rulebook")
    assert law["verdict"] == "warn"
    assert "2027.1.0 is the law" in law["says"]


def test_a_broken_rulebook_is_not_loaded_and_every_fault_is_said(routed: Netral, folder: Path) -> None:
    crime = folder / "50-crime.yaml"
    crime.write_text(crime.read_text("utf-8").replace("role: ACTION", "role: ACTOIN", 1), "utf-8")
    ran = routed("rules", "load", folder)
    assert (ran.code, ran.out) == (2, "")
    assert "50-crime.yaml:" in ran.err
    assert "did you mean 'ACTION'?" in ran.err
