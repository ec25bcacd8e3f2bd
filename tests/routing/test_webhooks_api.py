"""Agencies keep their endpoints and deliveries over HTTP; what is a neighbour's equals what does not exist."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.receiver.signing import key_of, verify
from deploy.local.receivers import Receivers
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.delivery.receiving import served
from tests.running import System, in_process, until

pytestmark = pytest.mark.broker
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
async def url(receivers: Receivers) -> AsyncIterator[str]:
    async with served(receivers) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def system(fresh_nats: Broker, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    monkeypatch.setenv("NETRAL_WEBHOOK_UNSAFE_LOOPBACK", "true")
    async with in_process(fresh_nats, judge=judge) as made:
        yield made


async def ask(
    system: System, method: str, path: str, who: str = "BKN", body: Any = None, **headers: str
) -> httpx.Response:
    root = "/v1/operator" if who == "OPERATOR" else f"/v1/agencies/{who.split('/', maxsplit=1)[0]}"
    auth = {"Authorization": f"Bearer {system.keys[who]}", **headers}
    return await system.routing.request(method, root + path, json=body, headers=auth)


async def registered(system: System, url: str, who: str = "BKN", **body: Any) -> dict[str, Any]:
    """An endpoint that is proved, with its key."""
    answer = await ask(system, "POST", "/webhooks", who, {"url": url, **body})
    assert answer.status_code == 201, answer.text
    proved = await ask(system, "POST", f"/webhooks/{answer.json()['endpoint_id']}/prove", who)
    assert proved.status_code == 200, proved.text
    return {**proved.json(), "key": answer.json()["key"]}


async def deliveries(system: System, who: str = "BKN", **query: str) -> list[dict[str, Any]]:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return list((await ask(system, "GET", f"/deliveries?{text}", who)).json()["deliveries"])


async def opened(system: System, key: str = "k1") -> str:
    ticket = (await system.send(a_report(person__name=key), key)).json()["ticket"]
    return str((await system.story(ticket))["case_id"])


async def test_an_agency_registers_proves_hears_and_says_what_it_did(
    system: System, receivers: Receivers, url: str
) -> None:
    endpoint = await registered(system, f"{url}/ok")
    assert endpoint["state"] == "ACTIVE"
    assert endpoint["key"].startswith("whpk_")
    challenge = receivers.heard[0]
    assert verify(challenge.headers, challenge.body, [key_of(endpoint["key"])], system.clock())
    case_id = await opened(system)

    async def heard() -> Any:
        return receivers.on("/ok")

    (news,) = await until(heard)
    assert verify(news.headers, news.body, [key_of(endpoint["key"])], system.clock())
    body = json.loads(news.body)
    assert (body["type"], body["data"]["case_id"]) == ("id.netral.agency.offered.v1", case_id)
    assert (await system.get(body["data"]["link"], "BKN")).status_code == 200

    async def delivered() -> Any:
        return await deliveries(system, state="DELIVERED")

    (row,) = await until(delivered)
    assert (row["delivery_id"], row["handled"]) == (news.message_id, None)
    path = f"/deliveries/{news.message_id}"
    assert (await ask(system, "POST", f"{path}/not_found", body={})).json()["handled"] == "not_found"
    refused = await ask(system, "POST", f"{path}/refused", body={"reason": "Kenari bernyanyi"})
    assert refused.status_code == 422
    refused = await ask(
        system, "POST", f"{path}/refused", body={"article": "Pasal 1", "reason": "Kenari bernyanyi"}
    )
    assert (refused.json()["handled"], refused.json().get("words")) == (
        "refused",
        None,
    )
    told = (await ask(system, "GET", path, "OPERATOR")).json()
    assert told["words"] == {"reason": "Kenari bernyanyi", "article": "Pasal 1"}
    assert [attempt["verdict"] for attempt in told["attempts"]] == ["DELIVERED"]
    assert (await ask(system, "POST", f"{path}/processed", body={})).json()["handled"] == "processed"
    assert [row["handled"] for row in await deliveries(system, handled="processed")] == ["processed"]


async def test_a_receiver_that_does_not_echo_the_challenge_gets_nothing(
    system: System, receivers: Receivers, url: str
) -> None:
    for path in ("/ok?cold=1", "/error?cold=1", "/lying?cold=1", "/redirect?cold=1"):
        answer = await ask(system, "POST", "/webhooks", body={"url": url + path})
        endpoint = answer.json()["endpoint_id"]
        refused = await ask(system, "POST", f"/webhooks/{endpoint}/prove")
        assert refused.status_code == 409
        assert (await ask(system, "DELETE", f"/webhooks/{endpoint}")).json()["state"] == "DELETED"
    await opened(system)
    assert await deliveries(system) == []


@pytest.mark.parametrize(
    "bad",
    [
        "http://sbt.bkn.go.id/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://127.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://user@sbt.bkn.go.id/",
        "https://sbt.bkn.go.id:22/",
        "https://metadata.google.internal/",
        "not an address",
    ],
)
async def test_a_trick_is_refused_when_it_is_registered_and_when_an_endpoint_moves(
    system: System, url: str, bad: str
) -> None:
    endpoint = await registered(system, f"{url}/ok")
    for method, path in (("POST", "/webhooks"), ("PATCH", f"/webhooks/{endpoint['endpoint_id']}")):
        answer = await ask(system, method, path, body={"url": bad})
        assert answer.status_code == 422
        assert answer.json()["faults"]
    (now,) = (await ask(system, "GET", "/webhooks")).json()["endpoints"]
    assert (now["url"], now["state"]) == (f"{url}/ok", "ACTIVE")


async def test_a_neighbour_s_endpoint_and_delivery_equal_what_does_not_exist(
    system: System, receivers: Receivers, url: str
) -> None:
    mine = (await registered(system, f"{url}/ok", "BAWASLU"))["endpoint_id"]
    await opened(system)

    async def delivered() -> Any:
        return await deliveries(system, "BAWASLU", state="DELIVERED")

    delivery = (await until(delivered))[0]["delivery_id"]
    found = []
    for endpoint, sent in ((mine, delivery), (NOWHERE, NOWHERE)):
        for method, path, body in (
            ("PATCH", f"/webhooks/{endpoint}", {"url": f"{url}/ok"}),
            ("DELETE", f"/webhooks/{endpoint}", None),
            ("POST", f"/webhooks/{endpoint}/prove", None),
            ("POST", f"/webhooks/{endpoint}/rotate", {}),
            ("POST", f"/webhooks/{endpoint}/ping", None),
            ("GET", f"/deliveries/{sent}", None),
            ("POST", f"/deliveries/{sent}/processed", {}),
            ("POST", f"/deliveries/{sent}/not_found", {}),
            ("POST", f"/deliveries/{sent}/refused", {"article": "x"}),
        ):
            answer = await ask(system, method, path, "BKN", body)
            found.append((answer.status_code, answer.content))
    assert len(set(found)) == 1
    assert found[0][0] == 404
    assert (await ask(system, "GET", "/webhooks")).json() == {"endpoints": []}
    assert (await ask(system, "POST", "/deliveries/replay", body={"ids": [delivery]})).json() == {
        "replayed": 0
    }
    assert (await deliveries(system, endpoint_id=mine)) == []
    headers = {"Authorization": f"Bearer {system.keys['BKN']}"}
    for path in ("/v1/operator/webhooks", "/v1/operator/deliveries", "/v1/agencies/BAWASLU/webhooks"):
        assert (await system.routing.get(path, headers=headers)).status_code == 404


async def test_rotating_shows_another_key_once_and_both_sign(
    system: System, receivers: Receivers, url: str
) -> None:
    endpoint = await registered(system, f"{url}/ok", signing="v1")
    path = f"/webhooks/{endpoint['endpoint_id']}"
    rotated = (await ask(system, "POST", f"{path}/rotate", body={"overlap_hours": 24})).json()
    assert rotated["key"].startswith("whsec_")
    assert rotated["key"] != endpoint["key"]
    assert "key" not in (await ask(system, "GET", "/webhooks")).json()["endpoints"][0]
    ping = await ask(system, "POST", f"{path}/ping")
    assert ping.json() == {"outcome": "DELIVERED", "answer": "200"}
    heard = receivers.heard[-1]
    for key in (endpoint["key"], rotated["key"]):
        assert verify(heard.headers, heard.body, [key_of(key)], system.clock())
    assert (await ask(system, "POST", f"{path}/rotate", body={"overlap_hours": 169})).status_code == 422
    leaked = (await ask(system, "POST", f"{path}/rotate", body={"overlap_hours": 0})).json()
    assert len(leaked["keys"]) == 1


async def test_the_operator_registers_for_an_agency_sees_all_and_replays(
    system: System, receivers: Receivers, url: str
) -> None:
    whose = await ask(system, "POST", "/webhooks", "OPERATOR", {"url": f"{url}/ok"})
    assert whose.status_code == 422
    await registered(system, f"{url}/ok", "OPERATOR", agency="BKN")
    await registered(system, f"{url}/error", "BAWASLU", office="kabkota:52.04")
    twice = await ask(system, "POST", "/webhooks", "BKN", {"url": f"{url}/ok"})
    assert twice.status_code == 409
    await opened(system)

    async def tried() -> Any:
        found = await deliveries(system, "OPERATOR")
        return [row for row in found if row["tries"]] if len(found) == 2 else None

    await until(tried)
    endpoints = (await ask(system, "GET", "/webhooks", "OPERATOR")).json()["endpoints"]
    assert [(one["agency"], one["office"]) for one in endpoints] == [
        ("BAWASLU", "kabkota:52.04"),
        ("BKN", None),
    ]

    async def delivered() -> Any:
        return await deliveries(system, "OPERATOR", agency="BKN", state="DELIVERED")

    (row,) = await until(delivered)
    replay = {"ids": [row["delivery_id"]]}
    answers = [
        await ask(system, "POST", "/deliveries/replay", "OPERATOR", replay, **{"Idempotency-Key": "r1"})
    ] * 2
    assert [answer.json() for answer in answers] == [{"replayed": 1}] * 2

    async def again() -> bool:
        return len(receivers.on("/ok")) == 2

    await until(again)
    assert len({heard.message_id for heard in receivers.on("/ok")}) == 1
    assert (await ask(system, "POST", "/deliveries/replay", "OPERATOR", {})).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "state=DONE",
        "limit=0",
        "limit=x",
        "since=2026-01-01",
        "cursor=%25",
        "endpoint_id=1",
        "handled=x",
        "until=now",
    ],
)
async def test_a_wrong_query_is_a_400_with_the_cure(system: System, query: str) -> None:
    answer = await ask(system, "GET", f"/deliveries?{query}")
    assert answer.status_code == 400
    assert "state is one of" in answer.json()["detail"]


async def test_pages_of_deliveries_follow_each_other(system: System, receivers: Receivers, url: str) -> None:
    await registered(system, f"{url}/ok")
    cases = {await opened(system, f"k{number}") for number in range(5)}

    async def delivered() -> Any:
        return len(await deliveries(system, state="DELIVERED")) == 5

    await until(delivered)
    seen, cursor = [], ""
    while True:
        page = (await ask(system, "GET", f"/deliveries?limit=2{cursor}")).json()
        seen += [row["case_id"] for row in page["deliveries"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(cases)


async def test_a_lost_database_is_filled_again_from_the_streams_under_the_same_ids(
    fresh_nats: Broker, judge: Judge, receivers: Receivers, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_WEBHOOK_UNSAFE_LOOPBACK", "true")
    async with in_process(fresh_nats, judge=judge) as system:
        endpoint = await registered(system, f"{url}/ok")
        await opened(system)

        async def delivered() -> Any:
            return await deliveries(system, state="DELIVERED")

        before = [row["delivery_id"] for row in await until(delivered)]
    for path in fresh_nats.data_dir.glob("deliveries.db*"):
        path.unlink()
    async with in_process(fresh_nats, judge=judge) as system:
        assert [row["delivery_id"] for row in await until(delivered)] == before
        (found,) = (await ask(system, "GET", "/webhooks")).json()["endpoints"]
        assert (found["endpoint_id"], found["state"]) == (endpoint["endpoint_id"], "ACTIVE")
    assert {heard.message_id for heard in receivers.on("/ok")} == set(before)


async def test_every_change_is_an_event_without_a_secret(
    system: System, fresh_nats: Broker, receivers: Receivers, url: str
) -> None:
    endpoint = await registered(system, f"{url}/ok", signing="v1")
    path = f"/webhooks/{endpoint['endpoint_id']}"
    rotated = (await ask(system, "POST", f"{path}/rotate", body={})).json()
    moved = await ask(system, "PATCH", path, body={"url": f"{url}/ok/new"})
    assert moved.json()["url"] == f"{url}/ok/new"
    await ask(system, "DELETE", path)
    bus = await Bus.connect(fresh_nats.settings, "operator")
    told = [await bus.read(f"webhooks.{endpoint['endpoint_id']}.{number}") or b"" for number in range(1, 6)]
    assert await bus.read(f"webhooks.{endpoint['endpoint_id']}.6") is None
    await bus.close()
    changes = [json.loads(raw)["data"]["change"] for raw in told]
    assert changes == ["REGISTERED", "PROVED", "ROTATED", "MOVED", "DELETED"]
    for key in (endpoint["key"], rotated["key"]):
        assert not any(key.encode() in raw or key[6:].encode() in raw for raw in told)
