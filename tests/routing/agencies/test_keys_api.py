"""Keys of agencies: shown once, kept as a hash, with scopes and an end; rotated with overlap, revoked at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.conftest import Broker
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
ROOT = "/v1/operator/keys"
INBOX = "/v1/agencies/BKN/inbox"


async def ask(
    system: System, method: str, path: str, body: Any = None, key: str | None = None
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or system.keys['OPERATOR']}"}
    return await system.routing.request(method, path, json=body, headers=headers)


async def issue(system: System, **body: Any) -> dict[str, Any]:
    answer = await ask(system, "POST", ROOT, {"holder": "BKN", **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def opens(system: System, key: str) -> int:
    return (await ask(system, "GET", INBOX, key=key)).status_code


async def test_a_key_is_shown_once_and_kept_as_a_hash(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        made = await issue(system)
        assert await opens(system, made["key"]) == 200
        listed = await ask(system, "GET", f"{ROOT}?holder=BKN")
        assert made["key"] not in listed.text
        assert made["prefix"] in [key["prefix"] for key in listed.json()["keys"]]
        bus = await Bus.connect(fresh_nats.settings, "routing")
        stored = b"".join(one.body for one in await page_of(bus, "AGENCIES", 1))
        await bus.close()
        files = b"".join(path.read_bytes() for path in fresh_nats.data_dir.rglob("*.db*"))
        assert made["key"].encode() not in stored + files


async def test_an_issued_key_opens_at_every_worker_and_after_a_restart(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        key = (await issue(one))["key"]

        async def known() -> bool:
            return await opens(other, key) == 200

        await until(known)
    async with in_process(fresh_nats, judge=judge) as system:
        assert await opens(system, key) == 200


async def test_a_revoked_key_opens_nothing_anywhere_and_stays_revoked(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        made = await issue(one)
        gone = await ask(one, "POST", f"{ROOT}/{made['prefix']}/revocation")
        assert gone.json()["valid"] is False
        assert await opens(one, made["key"]) == 401

        async def forgotten() -> bool:
            return await opens(other, made["key"]) == 401

        await until(forgotten)
        again = await ask(one, "POST", f"{ROOT}/{made['key_id']}/revocation")
        assert again.json()["revoked_at"] == gone.json()["revoked_at"]


async def test_who_waits_for_events_is_sent_away_when_the_key_is_revoked(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        made = await issue(one)

        async def known() -> bool:
            return await opens(other, made["key"]) == 200

        await until(known)
        key = {"Authorization": f"Bearer {made['key']}", "Prefer": "wait=30"}
        path = "/v1/agencies/BKN/events"
        waiting = [asyncio.create_task(w.routing.get(path, headers=key)) for w in (one, other)]
        await asyncio.sleep(1)
        assert not any(task.done() for task in waiting)
        await ask(one, "POST", f"{ROOT}/{made['prefix']}/revocation")
        async with asyncio.timeout(10):
            assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [401, 401]


async def test_a_key_of_the_secret_can_be_revoked_too(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        (listed,) = (await ask(system, "GET", f"{ROOT}?holder=BKN")).json()["keys"]
        await ask(system, "POST", f"{ROOT}/{listed['key_id']}/revocation")
        assert await opens(system, system.keys["BKN"]) == 401
    async with in_process(fresh_nats, judge=judge) as system:
        assert await opens(system, system.keys["BKN"]) == 401


async def test_a_rotation_leaves_both_keys_open_for_the_overlap_only(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        old = await issue(system, scopes=["read"], expires_in_days=100)
        new = (await ask(system, "POST", f"{ROOT}/{old['prefix']}/rotation", {"overlap_hours": 24})).json()
        assert (new["scopes"], new["holder"]) == (["read"], "BKN")
        assert [await opens(system, key["key"]) for key in (old, new)] == [200, 200]
        clock.at += timedelta(hours=24)
        assert [await opens(system, key["key"]) for key in (old, new)] == [401, 200]
        refused = await ask(system, "POST", f"{ROOT}/{old['prefix']}/rotation", {})
        assert refused.status_code == 409


async def test_an_expired_key_opens_nothing(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        made = await issue(system, expires_in_days=1)
        clock.at += timedelta(days=1) - timedelta(seconds=1)
        assert await opens(system, made["key"]) == 200
        clock.at += timedelta(seconds=1)
        assert await opens(system, made["key"]) == 401


async def test_a_key_does_what_its_scopes_say_and_manages_nothing(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        reading = (await issue(system, scopes=["read"]))["key"]
        acting = (await issue(system, scopes=["act"]))["key"]
        nowhere = "/v1/agencies/BKN/cases/00000000-0000-0000-0000-000000000000"
        move = await ask(system, "POST", f"{nowhere}/moves", {"move": "DONE"}, key=reading)
        assert (move.status_code, move.headers["WWW-Authenticate"]) == (
            403,
            'Bearer error="insufficient_scope", scope="act"',
        )
        assert (
            await ask(system, "POST", f"{nowhere}/moves", {"move": "DONE"}, key=acting)
        ).status_code == 404
        assert await opens(system, acting) == 403
        reader = (await issue(system, holder="OPERATOR", scopes=["read"]))["key"]
        assert (await ask(system, "GET", "/v1/operator/stats", key=reader)).status_code == 200
        assert (await ask(system, "POST", ROOT, {"holder": "BKN"}, key=reader)).status_code == 403
        assert (await ask(system, "POST", ROOT, {"holder": "BKN"}, key=reading)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["manage"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"office": "Banyuasin"}, "office"),
        ({"holder": "OPERATOR", "office": "pusat"}, "office"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 100_000}, "expires_in_days"),
        ({"public_key": "-----BEGIN"}, "public_key"),
        ({"key": "mine"}, "key"),
    ],
)
async def test_a_key_nobody_may_have_is_refused_with_the_field(
    fresh_nats: Broker, judge: Judge, body: dict[str, Any], field: str
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await ask(system, "POST", ROOT, {"holder": "BKN", **body})
        assert answer.status_code == 422
        assert answer.json()["faults"][0].startswith(field)


async def test_the_hour_of_last_use_is_written_once_an_hour(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        made = await issue(system)

        async def last_use() -> Any:
            keys = (await ask(system, "GET", ROOT)).json()["keys"]
            return next(key["last_used"] for key in keys if key["key_id"] == made["key_id"])

        assert await last_use() is None
        await opens(system, made["key"])
        hour = clock.at.replace(minute=0, second=0, microsecond=0)
        assert await last_use() == hour.isoformat()
        clock.at += timedelta(minutes=5)
        await opens(system, made["key"])
        assert await last_use() == hour.isoformat()
        clock.at += timedelta(hours=1)
        await opens(system, made["key"])
        assert await last_use() == (hour + timedelta(hours=1)).isoformat()
