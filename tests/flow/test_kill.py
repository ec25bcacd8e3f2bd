"""kill -9 of any process in the middle of the work loses nothing and does nothing twice."""

import asyncio
import json
import random
from collections import Counter

import httpx
import nats as client
import pytest

from services.runtime.connecting import connection
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
REPORTS = 63
SEED = 20241204


async def send_until_accepted(http: httpx.AsyncClient, url: str, number: int) -> str:
    """One report, sent with the same key until it is accepted, as `netral send` does."""
    body = a_report(person__name=f"Orang {number}")
    while True:
        try:
            answer = await http.post(url, json=body, headers={"Idempotency-Key": f"kill-{number}"})
            if answer.status_code == 202:
                return str(answer.json()["ticket"])
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.2)


async def subjects(broker: Broker, stream: str) -> Counter[str]:
    """How many messages each subject of a stream holds. Raises TimeoutError while a cluster elects who answers."""
    nc = await client.connect(**connection(broker.settings, "operator"))
    found: Counter[str] = Counter()
    offset = 0
    try:
        while True:
            request = json.dumps({"subjects_filter": ">", "offset": offset}).encode()
            answer = json.loads((await nc.request(f"$JS.API.STREAM.INFO.{stream}", request, timeout=10)).data)
            page = answer["state"].get("subjects") or {}
            found.update(page)
            offset += len(page)
            if not page or offset >= answer["total"]:
                return found
    finally:
        await nc.close()


async def test_killing_every_process_in_turn_loses_and_doubles_nothing(
    fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_MAIL_BURST", "0")  # hundreds of cases at once would be a digest
    monkeypatch.setenv("NETRAL_MAIL_RATE", "0")
    monkeypatch.setenv("NETRAL_UNKNOWN_HOLD", "1")  # instead of a minute after each kill
    system = Processes(fresh_nats)
    names = ["smtp", "intake", "routing", "notifications"]
    for name in names:
        system.start(name)
    for name in names[1:]:
        await system.ready(name)
    try:
        async with httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=32)) as http:
            url = system.url("intake") + "/v1/reports"
            sending = [asyncio.create_task(send_until_accepted(http, url, n)) for n in range(REPORTS)]
            dice = random.Random(SEED)
            for victim in [*names, "broker", *names[1:]]:
                done = sum(task.done() for task in sending)
                goal = min(done + REPORTS // 9, REPORTS - 1)
                await until(lambda goal=goal: _reached(sending, goal))  # type: ignore[misc]
                await asyncio.sleep(dice.random() / 10)
                if victim == "broker":
                    fresh_nats.kill()
                    fresh_nats.server.start()
                else:
                    system.kill(victim)
                    system.start(victim)
            tickets = await asyncio.gather(*sending)
        assert len(set(tickets)) == REPORTS
        await until(lambda: _decided(fresh_nats, REPORTS), 120)
        for stream in ("REPORTS", "CASES"):
            assert set((await subjects(fresh_nats, stream)).values()) == {1}, stream
        cases = await subjects(fresh_nats, "CASES")
        assert Counter(subject.split(".")[2] for subject in cases) == {
            "decided": REPORTS,
            "offered": 4 * REPORTS,
            "reports": REPORTS,
            "due": REPORTS,
        }
        accepted = [s for s in await subjects(fresh_nats, "REPORTS") if s.endswith(".accepted")]
        assert len(accepted) == REPORTS
        inbox = fresh_nats.data_dir / "inbox"
        await until(lambda: _mailed(fresh_nats, 5 * REPORTS), 200)
        mails = {path.name: path.read_text() for path in inbox.glob("*.eml")}
        # one to each of four offices, and one about the limit that passed long ago
        assert len(mails) == 5 * REPORTS
        marked = {name for name, text in mails.items() if "X-Netral-Possible-Duplicate: yes" in text}
        log = [json.loads(line) for line in system.logs().splitlines() if '"mail.stored"' in line]
        twice = {line["file"] for line in log if line["again"]}
        assert twice <= marked, "a mail came twice without saying that it may"
        assert "Traceback" not in system.logs()
    finally:
        system.stop()


async def _reached(tasks: list["asyncio.Task[str]"], goal: int) -> bool:
    return sum(task.done() for task in tasks) >= goal


async def _mailed(broker: Broker, wanted: int) -> bool:
    """Whether every e-mail has ended well: its notice is told once, as sent."""
    return len(await subjects(broker, "NOTICES")) == wanted


async def _decided(broker: Broker, wanted: int) -> bool:
    found = await subjects(broker, "CASES")
    return (
        sum(subject.endswith(".decided") for subject in found) == wanted
        and sum(".offered." in subject for subject in found) == 4 * wanted
        and sum(".reports." in subject for subject in found) == wanted
        and sum(".due." in subject for subject in found) == wanted
    )
