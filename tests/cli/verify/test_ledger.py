"""The checker compares the ledger of mails with the log: nothing of a true system, every planted difference."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.builders import a_report
from tests.cli.verify.lying import Lie, each_is_named, executed, kept
from tests.cli.verify.planting import kinds
from tests.conftest import Broker
from tests.deploy.releases import netral
from tests.running import Processes, until

pytestmark = pytest.mark.broker
ONE = "notice_id = (SELECT min(notice_id) FROM notices WHERE state = 'SENT')"
OTHER = "notice_id = (SELECT max(notice_id) FROM notices WHERE state = 'SENT')"
OFFER = "step = 'OFFERED' AND agency = 'BKN'"
NOBODY = "'00000000-0000-5000-8000-000000000001'"
WAITS = "state = 'PENDING', told = 0, ended_at = NULL"
LIES: tuple[Lie, ...] = (
    ("notice-missing", "DELETE FROM notices WHERE step = 'RECEIVED'", "to its reporter that it was received"),
    ("notice-missing", "DELETE FROM notices WHERE step = 'ROUTED'", "to its reporter who holds the case"),
    ("notice-missing", "DELETE FROM notices WHERE step = 'OFFERED' AND agency = 'BKN'", "no mail tells BKN"),
    ("notice-stray", f"DELETE FROM notices WHERE {ONE}", "was told but is not in the ledger"),
    ("notice-outcome", f"UPDATE notices SET state = 'FAILED' WHERE {ONE}", "FAILED by the ledger, SENT by"),
    (
        "message-id-twice",
        f"UPDATE notices SET message_id = (SELECT message_id FROM notices WHERE {ONE}) WHERE {OTHER}",
        "2 mails have it",
    ),
    ("notice-tries", f"UPDATE notices SET doubts = attempts + 1 WHERE {ONE}", "of unknown outcome"),
    ("notice-tries", "UPDATE notices SET state = 'UNKNOWN' WHERE step = 'ROUTED'", "0 of unknown outcome"),
    ("notice-tries", "UPDATE notices SET state = 'SENDING', attempts = 0", "is SENDING after 0 tries"),
    (
        "notice-missing",
        "DELETE FROM notices WHERE step = 'OVERDUE'",
        "no mail tells BAWASLU kabkota:52.04 of its limit",
    ),
    (
        "notice-row",
        f"UPDATE notices SET agency = 'POLRI' WHERE {OFFER}",
        "is for POLRI/pusat, and goes to BKN/pusat",
    ),
    (
        "notice-row",
        f"UPDATE notices SET agency = 'POLRI', reader = 'POLRI/pusat' WHERE {OFFER}",
        "has another id than",
    ),
    ("notice-row", f"UPDATE notices SET office = NULL WHERE {OFFER}", "is for BKN/-, and goes to BKN/pusat"),
    ("notice-row", f"UPDATE notices SET step = 'STEPPED' WHERE {OFFER}", "has another id than a STEPPED"),
    ("notice-row", f"UPDATE notices SET audience = 'REPORTER' WHERE {OFFER}", "is for REPORTER/"),
    ("notice-row", f"UPDATE notices SET place = 7 WHERE {OFFER}", "has the place 7 in its thread"),
    ("notice-row", f"UPDATE notices SET case_id = {NOBODY} WHERE {OFFER}", "has another id than"),
    ("notice-row", f"UPDATE notices SET report_id = {NOBODY} WHERE {OFFER}", "its case was opened by"),
    (
        "notice-row",
        f"UPDATE notices SET case_id = {NOBODY} WHERE step = 'RECEIVED'",
        "of its report",
    ),
    (
        "notice-row",
        f"UPDATE notices SET facts = json_set(facts, '$.ticket', 'NTR-X') WHERE {OFFER}",
        "tells of NTR-X",
    ),
    (
        "notice-row",
        f"UPDATE notices SET facts = json_set(facts, '$.region', 'x') WHERE {OFFER}",
        " in x and the case",
    ),
    (
        "notice-row",
        "UPDATE notices SET facts = json_set(facts, '$.last_day', '2024-01-01') WHERE step = 'OVERDUE'",
        "id",
    ),
    ("notice-row", f"UPDATE notices SET root = 'x' WHERE {OFFER}", "opens the thread of its reader"),
    ("notice-row", "UPDATE notices SET root = 'x' WHERE step = 'ROUTED'", "whose mails are in 2 threads"),
    (
        "notice-row",
        f"UPDATE notices SET state = 'LOST' WHERE {OFFER}",
        "in the state LOST, which there is not",
    ),
    ("notice-row", f"UPDATE notices SET ended_at = NULL WHERE {OFFER}", "is SENT, and no end is noted"),
    ("notice-row", f"UPDATE notices SET told = 0 WHERE {OFFER}", "and nobody was told"),
    ("notice-row", f"UPDATE notices SET {WAITS} WHERE {OFFER}", "is PENDING without next_attempt_at"),
    (
        "notice-row",
        f"UPDATE notices SET {WAITS}, state = 'GATHERED', gathered_in = 'x' WHERE {OFFER}",
        "for the digest x",
    ),
    (
        "notice-outcome",
        f"UPDATE notices SET {WAITS} WHERE {OFFER}",
        "not told; by the stream it was SENT already",
    ),
    (
        "notice-otherwise",
        f"UPDATE notices SET attempts = 9 WHERE {OFFER}",
        "has another attempts by the ledger",
    ),
    ("notice-otherwise", f"UPDATE notices SET turn = 1 WHERE {OFFER}", "has another turn by the ledger"),
    (
        "notice-otherwise",
        f"UPDATE notices SET ended_at = created_at WHERE {OFFER}",
        "has another end by the ledger",
    ),
)


async def mailed(system: Processes, bus: Bus) -> None:
    """Two reports, all of whose mails were sent and told: to four offices, and to one about the limit that is over."""
    async with httpx.AsyncClient() as http:
        for number in (1, 2):
            headers = {"Idempotency-Key": f"k{number}"}
            body = a_report(person__name=f"Orang {number}")
            answer = await http.post(f"{system.url('intake')}/v1/reports", json=body, headers=headers)
            assert answer.status_code == 202

    async def quiet() -> bool:
        path = system.broker.data_dir / "notifications.db"
        return bool(executed(path, "SELECT count(*) FROM notices WHERE told = 1 AND state = 'SENT'") == 2 * 5)

    await until(quiet, 75)


async def test_the_ledger_of_a_true_system_agrees_and_every_difference_is_named(fresh_nats: Broker) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    system = Processes(fresh_nats)
    try:
        for name in ("smtp", "intake", "routing", "notifications"):
            system.start(name)
        await asyncio.gather(*(system.ready(name) for name in ("intake", "routing", "notifications")))
        await mailed(system, bus)
        assert await kinds(bus, folder, now(), patience=10) == {}
    finally:
        system.stop()
    await each_is_named(bus, folder / "notifications.db", LIES, now() + timedelta(minutes=30))
    await nobody_is_told_of_a_digest(bus, fresh_nats)
    the_command_opens_the_vault(system)
    await a_notice_told_twice_is_found(bus, fresh_nats)
    await bus.close()


def the_command_opens_the_vault(system: Processes) -> None:
    """With the key that lies beside; where it is not to be had, nothing is opened and nothing said."""
    key = system.broker.data_dir / "secrets" / "vault.key"
    right = key.read_text()
    key.write_text("0" * 64)
    assert (
        "vault-unreadable: the vault opens to another vault.key"
        in netral(["verify"], None, system.env()).stderr
    )
    key.unlink()
    assert netral(["verify"], None, system.env()).returncode == 0
    key.write_text(right)
    assert netral(["verify"], None, system.env()).returncode == 0


async def nobody_is_told_of_a_digest(bus: Bus, broker: Broker) -> None:
    """It counts as told, and so does a letter about a webhook."""
    columns = "report_id, audience, agency, office, reader, place, root, facts, attempts, doubts, created_at"
    with kept(broker.data_dir / "notifications.db") as path:
        for number, step in enumerate(("DIGEST", "WEBHOOK")):
            executed(
                path,
                f"INSERT INTO notices (notice_id, case_id, step, state, told, message_id, next_attempt_at, {columns})"
                f" SELECT '{number}', case_id, '{step}', 'PENDING', 1, '{number}', created_at, {columns}"
                f" FROM notices WHERE {ONE}",
            )
        assert await kinds(bus, broker.data_dir, now()) == {}


async def a_notice_told_twice_is_found(bus: Bus, broker: Broker) -> None:
    """Under the subject of another ending."""
    stored = await bus.last("NOTICES", ">")
    case_id = executed(broker.data_dir / "notifications.db", "SELECT case_id FROM notices")
    await bus.js.publish(f"notices.{case_id}.00000000-0000-5000-8000-000000000001", stored or b"")
    found = await kinds(bus, broker.data_dir, now())
    assert "was told 2 times" in found["notice-twice"]
    assert "wrong-subject" in found
