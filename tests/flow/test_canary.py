"""Personal data of a report is found nowhere but in the vault (sealed) and in the dossier of those it is for."""

import asyncio
import email
import json
from email import policy
from pathlib import Path
from typing import Any

import httpx
import nats as client
import pytest
from nats.js.errors import NotFoundError

from contracts.topology import STREAMS
from services.runtime.connecting import connection
from tests.builders import a_report
from tests.conftest import Broker
from tests.flow.collector import Collector
from tests.flow.test_copies import letters
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
NIP, PPPK = "198609262015051001", "199009132025242014"
MARK = "kanari-7f3a"


def canaries() -> dict[str, Any]:
    """A report with a mark in every field a person can write in."""
    report = a_report(
        narrative=f"Cerita {MARK}-narrative",
        incident__place=f"{MARK}-place",
        person__ref=f"{MARK}-ref",
        person__name=f"{MARK}-name",
        person__post=f"{MARK}-post",
        act__person=f"{MARK}-ref",
        act__note=f"{MARK}-note",
        reporter={
            "kind": "VOTER",
            "name": f"{MARK}-reporter",
            "address": f"{MARK}-address",
            "email": f"{MARK}@warga.example",
            "phone": f"{MARK}-phone",
        },
        source={"channel": "API", "reference": f"{MARK}-reference"},
    )
    report["persons"][0]["employer"]["name"] = f"{MARK}-employer"
    report["evidence"][0]["name"] = f"{MARK}-evidence.jpg"
    report["persons"].append({"ref": "p2", "status": "PPPK", "nip": PPPK})
    return report


async def streams(broker: Broker) -> bytes:
    """Every message of every stream: subject, headers, body."""
    nc = await client.connect(**connection(broker.settings, "operator"))
    js, found = nc.jetstream(), b""
    for stream in STREAMS:
        state = (await js.stream_info(stream.name)).state
        for seq in range(1, state.last_seq + 1):
            try:
                message = await js.get_msg(stream.name, seq)
            except NotFoundError:  # a timer goes when it fires
                continue
            found += f"{message.subject}{message.headers}".encode() + (message.data or b"")
    await nc.close()
    return found


async def test_no_canary_leaves_the_vault(fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    system = Processes(fresh_nats)
    names = ("smtp", "intake", "routing", "notifications")
    for name in names:
        system.start(name)
    inbox: Path = fresh_nats.data_dir / "inbox"
    try:
        for name in names[1:]:
            await system.ready(name)
        async with httpx.AsyncClient() as http:
            url = system.url("intake") + "/v1/reports"
            accepted = await http.post(url, json=canaries())
            assert accepted.status_code == 202, accepted.text
            broken = canaries() | {
                "election": {"kind": f"{MARK}-kind", "year": 2024},
                "narrative": f"{MARK}\x00",
            }
            refused = await http.post(url, json=broken)
            assert refused.status_code == 422
        # two mails to the reporter, and one to each office of the four agencies told at the opening
        await until(lambda: _mailed(inbox, 6), 60)
        await asyncio.sleep(1)
        bus = await streams(fresh_nats)
    finally:
        system.stop()
        collector.close()
    mails = [path.read_bytes() for path in inbox.glob("*.eml")]
    places = {
        "streams": bus,
        "spans": b"".join(collector.got),
        "logs": system.logs().encode(),
        "error answer": refused.content,
        "accepted answer": accepted.content,
        "mails": b"".join(_without_recipient(mail) for mail in mails),
        "databases": b"".join(path.read_bytes() for path in fresh_nats.data_dir.glob("*.db*")),
    }
    assert places["spans"]
    assert b"message.handled" in places["logs"]
    leaks = [
        (place, mark) for place, text in places.items() for mark in (MARK, NIP, PPPK) if mark.encode() in text
    ]
    assert leaks == []
    receipt = json.loads(accepted.content)["receipt"].encode()
    assert [place for place, text in places.items() if receipt in text] == ["accepted answer"]
    assert sum(MARK.encode() in mail for mail in mails) == 2, (
        "only the reporter's own address may name the reporter"
    )


async def _mailed(inbox: Path, count: int) -> bool:
    return len(letters(inbox)) >= count


def _without_recipient(raw: bytes) -> bytes:
    message = email.message_from_bytes(raw, policy=policy.default)
    del message["To"], message["X-Envelope-To"]
    body = "".join(part.get_content() for part in message.iter_parts())
    return message.as_bytes() + body.encode()
