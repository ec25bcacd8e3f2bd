"""Streams that a damaged disk cut short are whole again after one command, while everything runs."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from pydantic import TypeAdapter

from contracts.events import AnyEvent, Event
from deploy.local.receivers import Receivers
from services.cli.errors import Stop
from services.cli.mending import renew_views
from services.cli.telling_again import to_tell
from services.notifications.core.notices import OPEN, TOLD, UNTOLD
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.cli.test_backup import mails, netral
from tests.cli.verify.planting import a_log
from tests.conftest import Broker
from tests.flow.test_kill import send_until_accepted, subjects
from tests.packaged import packaged_judge
from tests.ports import free_port
from tests.routing.delivery.receiving import served
from tests.routing.test_marks import cut
from tests.running import Processes, until

_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
CUT = ("REPORTS", "CASES", "TOLD", "NOTICES", "TIMERS")
WORK = ("intake", "routing", "notifications")


async def test_what_five_streams_lost_is_put_back_from_the_databases(fresh_nats: Broker) -> None:
    system = Processes(fresh_nats)
    url = system.url("intake") + "/v1/reports"

    async def accepted(first: int) -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            await asyncio.gather(*(send_until_accepted(http, url, first + n) for n in range(8)))

    async def as_promised() -> bool:
        kept = (await asyncio.to_thread(netral, system.env(), "verify")).returncode == 0
        await asyncio.sleep(0 if kept else 3)  # to ask takes a core for a second
        return kept

    async def held() -> dict[str, set[str]]:
        return {stream: set(await subjects(fresh_nats, stream)) for stream in CUT[:4]}

    try:
        for name in ("smtp", *WORK):
            system.start(name)
        for name in WORK:
            await system.ready(name)
        await accepted(0)
        await until(as_promised, 60)
        step = await asyncio.to_thread(netral, system.env(), *_step(await _case(system)))
        assert step.returncode == 0, step.stderr
        await until(as_promised, 60)
        await until(lambda: _mailed(fresh_nats, held), 60)
        before, sent = await held(), mails(fresh_nats)
        fresh_nats.kill()
        for stream in CUT:
            cut(fresh_nats, stream)
        fresh_nats.server.start()
        left = await held()
        assert all(left[stream] < before[stream] for stream in left), "each lost something"
        assert any(".step." in subject for subject in before["CASES"] - left["CASES"]), "the step too"
        await accepted(8)
        done = await asyncio.to_thread(netral, system.env(), "mend")
        assert done.returncode == 0, done.stderr
        await until(as_promised, 60)
        await until(lambda: _all_back(before, held), 30)
        assert mails(fresh_nats) >= sent
        ids = [name.partition(".")[0] for name in mails(fresh_nats)]
        assert len(set(ids)) == len(ids), "nothing is mailed again"
        assert await _measured(system) == 16, "what is heard again was not routed late"
        again = await asyncio.to_thread(netral, system.env(), "mend")
        assert "Put back: 0 records of cases, 0 reports, 0 notices." in again.stdout
    finally:
        system.stop()


async def test_what_was_said_of_a_limit_is_put_back_as_it_was_and_not_said_anew(fresh_nats: Broker) -> None:
    system = Processes(fresh_nats)

    async def as_promised() -> bool:
        return (await asyncio.to_thread(netral, system.env(), "verify")).returncode == 0

    async def said() -> dict[str, bytes]:
        bus = await Bus.connect(fresh_nats.settings, "operator")
        found = await page_of(bus, "CASES", 1, subjects="cases.*.due.>")
        await bus.close()
        return {stored.subject: stored.body for stored in found}

    try:
        for name in WORK:
            system.start(name)
        for name in WORK:
            await system.ready(name)
        async with httpx.AsyncClient(timeout=30) as http:
            await send_until_accepted(http, system.url("intake") + "/v1/reports", 1)
        before = await until(said)
        await until(as_promised, 60)
        bus = await Bus.connect(fresh_nats.settings, "operator")
        await bus.js.delete_stream("CASES")
        await bus.close()
        await asyncio.to_thread(netral, system.env(), "provision")
        done = await asyncio.to_thread(netral, system.env(), "mend")
        assert done.returncode == 0, done.stderr
        assert await said() == before
        await until(as_promised, 60)
    finally:
        system.stop()


async def test_where_another_record_stands_by_now_it_is_named_and_stays(fresh_nats: Broker) -> None:
    system = Processes(fresh_nats)
    try:
        for name in WORK:
            system.start(name)
        for name in WORK:
            await system.ready(name)
        async with httpx.AsyncClient(timeout=30) as http:
            await send_until_accepted(http, system.url("intake") + "/v1/reports", 1)
        case = await until(lambda: _case(system))
        system.kill("routing")
        bus = await Bus.connect(fresh_nats.settings, "operator")
        subject = f"cases.{case}.decided"
        record = json.loads(await bus.read(subject) or b"")
        record["data"]["ticket"] = "NTR-0000-0000-0000-0000"
        info = await bus.js.stream_info("CASES")
        await bus.js.delete_stream("CASES")
        await bus.js.add_stream(info.config)
        await bus.js.publish(subject, json.dumps(record).encode())
        await bus.close()
        await asyncio.to_thread(netral, system.env(), "provision")
        system.start("routing")
        await system.ready("routing")
        await until(lambda: _marked(fresh_nats), 20)
        done = await asyncio.to_thread(netral, system.env(), "mend")
        assert done.returncode == 1
        assert f"{subject}: stays lost, another record stands there by now" in done.stderr
        assert f"cases.{case}.offered.BAWASLU.p1: stays lost" in done.stderr, "nor what followed from it"
        assert await _marked(fresh_nats) != [], "nothing is forgotten unasked"
        with closing(sqlite3.connect(fresh_nats.data_dir / "routing.db", timeout=30)) as views, views:
            views.execute(
                "INSERT INTO marks VALUES ('GONE', 9, '2026-11-24T03:00:00Z')"
            )  # routing marks no such stream
        done = await asyncio.to_thread(netral, system.env(), "mend", "--replace")
        assert done.returncode == 0, done.stderr
        assert "GONE" not in await _marked(fresh_nats), "what the streams hold now is what counts"
    finally:
        system.stop()


async def test_a_webhook_that_the_queue_lost_is_sent_again_under_the_same_id(fresh_nats: Broker) -> None:
    system, receivers = Processes(fresh_nats), Receivers()
    system.extra["NETRAL_WEBHOOK_UNSAFE_LOOPBACK"] = "true"
    key = json.loads(fresh_nats.settings.secret("agency-keys.json"))["OPERATOR"]
    webhooks = system.url("routing") + "/v1/operator/webhooks"

    async def heard(times: int) -> bool:
        return len(receivers.on("/ok")) == times

    try:
        for name in ("smtp", *WORK):
            system.start(name)
        for name in WORK:
            await system.ready(name)
        auth = {"Authorization": f"Bearer {key}"}
        async with served(receivers) as port, httpx.AsyncClient(timeout=30, headers=auth) as http:
            where = {"agency": "BKN", "url": f"http://127.0.0.1:{port}/ok"}
            made = (await http.post(webhooks, json=where)).json()
            assert (await http.post(f"{webhooks}/{made['endpoint_id']}/prove")).status_code == 200
            await send_until_accepted(http, system.url("intake") + "/v1/reports", 1)
            await until(lambda: heard(1))
            with closing(sqlite3.connect(fresh_nats.data_dir / "deliveries.db", timeout=30)) as queue, queue:
                await until(lambda: _delivered(queue))
                assert queue.execute("DELETE FROM deliveries").rowcount == 1
            done = await asyncio.to_thread(netral, system.env(), "mend")
            assert done.returncode == 0, done.stderr
            await until(lambda: heard(2))
        assert len({one.message_id for one in receivers.on("/ok")}) == 1
    finally:
        system.stop()


async def _delivered(queue: sqlite3.Connection) -> bool:
    return bool(queue.execute("SELECT 1 FROM deliveries WHERE state = 'DELIVERED'").fetchone())


def test_where_the_views_cannot_be_renewed_it_says_what_is_done_and_to_run_it_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NETRAL_ROUTING_PORT", str(free_port()))
    monkeypatch.setenv("NETRAL_DATA_DIR", str(tmp_path))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "agency-keys.json").write_text('{"OPERATOR": "k"}')
    with pytest.raises(Stop, match="The streams are whole again: `netral mend` once more"):
        renew_views()


def test_of_a_case_that_went_on_without_what_was_lost_nothing_later_is_told() -> None:
    judge = packaged_judge()
    said = (("BAWASLU", "STUDY_CONCLUDED", "BREACH"), ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"))
    ours, theirs = (
        life_of_log(judge, said),
        life_of_log(judge, (("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH"),)),
    )
    whole = {subject: event.model_dump_json(by_alias=True).encode() for subject, event in ours.items()}
    life, first, second = list(ours.values()), *(subject for subject in ours if ".step." in subject)
    assert to_tell(life, whole) == ([], [])
    assert to_tell(life, {}) == (life, [])
    opening = {subject: body for subject, body in whole.items() if ".step." not in subject}
    missing, lost = to_tell(life, opening | {first: theirs[first].model_dump_json(by_alias=True).encode()})
    assert (missing, lost[0]) == ([], first)
    assert second in lost
    later = {subject: body.replace(b"2026-11-24T", b"2026-11-25T", 1) for subject, body in opening.items()}
    assert to_tell(life, later)[1] == [], "what was made anew at another time is the same"
    missing, lost = to_tell(life, opening)
    assert [event.nats_subject for event in missing] == [s for s in ours if s not in opening]  # type: ignore[attr-defined]
    assert lost == []


def life_of_log(judge: Judge, said: tuple[tuple[str, str, str | None], ...]) -> dict[str, Event]:
    """The records of one case by subject, in their order."""
    log = [entry for entry in a_log(judge, "lost", said) if entry["subject"].startswith("cases.")]
    return {entry["subject"]: _ANY.validate_python(entry["event"]) for entry in log}


async def _measured(system: Processes) -> int:
    """How many reports routing counted with the time until they were routed."""
    token = {"Authorization": f"Bearer {system.broker.settings.secret('metrics-token')}"}
    async with httpx.AsyncClient(timeout=5) as http:
        page = (await http.get(f"{system.url('routing')}/metrics", headers=token)).text
    return round(
        float(page.partition("netral_report_routed_age_seconds_count")[2].partition("\n")[0].split()[-1])
    )


async def _marked(broker: Broker) -> list[str]:
    with closing(sqlite3.connect(broker.data_dir / "routing.db")) as connection:
        return [row[0] for row in connection.execute("SELECT stream FROM marks")]


async def _all_back(before: dict[str, set[str]], held: Callable[[], Awaitable[dict[str, set[str]]]]) -> bool:
    """All but what was said of limits, which is said again only of those that still run."""
    missing = {subject for stream, now in (await held()).items() for subject in before[stream] - now}
    return all(".due." in subject for subject in missing)


async def _mailed(broker: Broker, held: Callable[[], Awaitable[dict[str, set[str]]]]) -> bool:
    """Whether so many mails are told of that half of the stream can be lost, and none is still to be told of."""
    unsent, ended, never = (tuple(map(str, names)) for names in (OPEN, TOLD, UNTOLD))
    to_come = f"state IN {unsent} OR told = 0 AND state IN {ended} AND step NOT IN {never}"
    with closing(sqlite3.connect(broker.data_dir / "notifications.db")) as connection:
        ((left,),) = connection.execute(f"SELECT count(*) FROM notices WHERE {to_come}")
    return not left and len((await held())["NOTICES"]) >= 8


async def _case(system: Processes) -> str | None:
    keys = json.loads((system.broker.data_dir / "secrets" / "agency-keys.json").read_text())
    async with httpx.AsyncClient(timeout=5) as http:
        key = {"Authorization": f"Bearer {keys['BAWASLU']}"}
        answer = await http.get(f"{system.url('routing')}/v1/agencies/BAWASLU/inbox", headers=key)
    return next((str(case["case_id"]) for case in answer.json()["cases"]), None)


def _step(case: str | None) -> tuple[object, ...]:
    return "step", case, "STUDY_CONCLUDED:BREACH", "--by", "BAWASLU", "--reason", "terbukti"
