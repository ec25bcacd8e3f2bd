"""An agency follows what happened from a place on, without a gap: the events its webhook and stream carry."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from deploy.streams import provision
from services.routing.agencies.events_api import MARK, stands
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.behind import Behind
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import Processes, System, in_process, until

pytestmark = pytest.mark.broker


async def events(system: System, agency: str = "BAWASLU", path: str = "", **headers: str) -> httpx.Response:
    key = {"Authorization": f"Bearer {system.keys[agency]}"}
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return await system.routing.get(f"/v1/agencies/{agency}/events{path}", headers={**key, **given})


async def first_event(system: System, agency: str = "BAWASLU") -> dict[str, Any]:
    async def there() -> Any:
        return (await events(system, agency)).json()["events"]

    return dict((await until(there))[0])


async def test_the_feed_is_the_stream_word_for_word_and_resumes_where_it_was(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        ids = [await opened(system, f"k{n}", person__name=f"Orang {n}") for n in range(5)]

        async def all_told() -> Any:
            told = (await events(system)).json()["events"]
            return told if {one["event"]["data"]["case_id"] for one in told} == set(ids) else None

        told = await until(all_told)
        bus = await Bus.connect(fresh_nats.settings, "routing")
        stored = await page_of(bus, "TOLD", 1, subjects="told.BAWASLU.*.>")
        await bus.close()
        assert [one["id"] for one in told] == [str(one.seq) for one in stored][: len(told)]
        seen_ids: list[str] = []
        last = "0"
        while True:
            page = (await events(system, path="?limit=2", Last_Event_ID=last)).json()
            seen_ids += [one["id"] for one in page["events"]]
            if not page["events"]:
                break
            last = page["last_event_id"]
        assert seen_ids[: len(told)] == [one["id"] for one in told]
        assert len(set(seen_ids)) == len(seen_ids)
        assert page["last_event_id"] == last


async def test_a_waiting_request_is_answered_when_something_happens(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        first = await first_event(system, "BKN")
        waiting = asyncio.create_task(events(system, "BKN", Last_Event_ID=first["id"], Prefer="wait=30"))
        await asyncio.sleep(0)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        answer = await waiting
        assert answer.headers["Preference-Applied"] == "wait=30"
        assert answer.json()["events"][0]["event"]["data"]["case_id"] == case_id


async def test_a_waiting_request_is_answered_at_once_when_routing_is_told_to_stop(fresh_nats: Broker) -> None:
    system, key = Processes(fresh_nats), json.loads(fresh_nats.settings.secret("agency-keys.json"))["BKN"]
    try:
        system.start("routing")
        await system.ready("routing")
        reading, writing = await asyncio.open_connection("127.0.0.1", system.ports["routing"])
        ask = f"GET /v1/agencies/BKN/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nPrefer: wait=30\r\n\r\n"
        writing.write(ask.encode())
        await writing.drain()
        await system.ready("routing")  # behind it
        system.running["routing"].terminate()
        answer = (await reading.read()).decode()
        writing.close()
    finally:
        system.stop()
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert answer.endswith('{"events":[],"last_event_id":"0","more":false}')


async def test_nobody_reads_the_events_of_another_agency_or_office(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await first_event(system)
        await seen(system, case_id, 0)
        assert (await events(system, "PPK")).json()["events"] == []
        assert (await events(system, path="?office=kabkota:16.07")).json()["events"] == []
        key = {"Authorization": f"Bearer {system.keys['PPK']}"}
        assert (await system.routing.get("/v1/agencies/BAWASLU/events", headers=key)).status_code == 404


async def test_a_place_holds_whichever_office_is_asked_for_with_it(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await opened(system, "k1", person__name="Orang 1")
        await first_event(system)
        await opened(system, "k2", person__name="Orang 2", incident__region="kemendagri:16.07")

        async def elsewhere() -> Any:
            return (await events(system, path="?office=kabkota:16.07")).json()

        async def told() -> bool:
            return bool((await elsewhere())["events"])

        await until(told)
        place = (await elsewhere())["last_event_id"]
        assert (await events(system, path="?office=kabkota:52.04")).json()["events"]
        here = (await events(system, path="?office=kabkota:52.04", Last_Event_ID=place)).json()
        assert all(int(one["id"]) > int(place.partition("-")[0]) for one in here["events"])


async def test_a_reader_of_a_stream_that_was_made_anew_is_told_everything_again(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await opened(system, "k1", person__name="Orang 1")
        await first_event(system)
        heard = (await events(system)).json()
        place = heard["last_event_id"]
        same = (await events(system, Last_Event_ID=place)).json()
        # Its limit has passed: that may be told between the two questions, but nothing again.
        assert all(int(one["id"]) > int(place.partition("-")[0]) for one in same["events"])
        assert same["events"] or same["last_event_id"] == place
        later = await opened(system, "k2", person__name="Orang 2")

        async def told() -> bool:
            heard = (await events(system, Last_Event_ID=place)).json()["events"]
            return later in {one["event"]["data"]["case_id"] for one in heard}

        await until(told)
        await _made_anew(fresh_nats, first=later)
        again = (await events(system, Last_Event_ID=place)).json()["events"]
    assert {one["event"]["data"]["case_id"] for one in again} >= {later}


async def test_a_place_holds_although_the_copy_of_the_stream_that_is_asked_does_not_hold_it_yet(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await opened(system)
        await first_event(system)
        place = (await events(system)).json()["last_event_id"]
        bus = await Bus.connect(fresh_nats.settings, "routing")
        behind, seq = Behind(bus.nc), place.partition("-")[0]
        assert await stands(behind, place)
        assert not await stands(behind, f"{seq}-{'0' * MARK}")
        assert not await stands(behind, f"{int(seq) + 99}-{'0' * MARK}")
        await bus.close()


async def _made_anew(broker: Broker, first: str) -> None:
    """The stream is deleted, and filled again in another order: the events of one case come first."""
    bus = await Bus.connect(broker.settings, "operator")
    stored = await page_of(bus, "TOLD", 1)
    await bus.js.delete_stream("TOLD")
    await provision(bus.js)
    for one in sorted(stored, key=lambda one: first not in one.subject):
        await bus.js.publish(one.subject, one.body)
    await bus.close()


@pytest.mark.parametrize(
    "path",
    [
        *("?after=x", "?after=-1", "?after=1-", "?after=1-xyz", "?after=0-0123456789ab"),
        *("?limit=0", "?limit=201", "?office=x", "?since=1"),
    ],
)
async def test_a_wrong_query_is_a_400(fresh_nats: Broker, judge: Judge, path: str) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await events(system, path=path)
        assert answer.status_code == 400
        assert "is" in answer.json()["detail"]
