"""A running service takes a new rulebook whole, only if it is checked and proved, and as an event."""

import asyncio
from typing import Any

import httpx
import pytest

from contracts.events import RulebookLoaded
from services.routing.core.decide import Judge
from services.routing.law import Law
from services.routing.rulebook_files import HERE, files_of
from services.runtime.bus import Bus
from tests.behind import Behind
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
DOOR = "/v1/operator/rulebook"


def texts(**changes: tuple[str, str]) -> dict[str, str]:
    """The packaged files with one replacement in each file named (without .yaml, - as _)."""
    files = {name: raw.decode() for name, raw in files_of(HERE).items()}
    for key, (old, new) in changes.items():
        name = next(name for name in files if name.endswith(key.replace("_", "-") + ".yaml"))
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return files


def newer(named: str = "2027.1.0") -> dict[str, str]:
    version = next(line for line in texts()["book.yaml"].splitlines() if line.startswith("version:"))
    return texts(book=(version, f'version: "{named}"'))


async def load(system: System, files: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    return await system.routing.put(DOOR, json={"files": files}, headers=headers)


async def version_used(system: System, key: str) -> str:
    ticket = (await system.send(a_report(person__name=key), key)).json()["ticket"]
    return str((await system.story(ticket))["decision"]["rulebook"]["version"])


async def test_decisions_follow_a_new_rulebook_at_once_and_after_a_restart(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        before = await version_used(system, "k1")
        answer = await load(system, newer())
        assert (answer.status_code, answer.json()["number"]) == (200, 2)
        assert answer.json()["previous"]["version"] == before
        assert await version_used(system, "k2") == "2027.1.0"
    async with in_process(fresh_nats, judge=judge) as system:
        assert await version_used(system, "k3") == "2027.1.0"


async def test_a_rulebook_is_in_force_at_once_although_a_copy_of_its_stream_is_behind(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, law = await Bus.connect(fresh_nats.settings, "routing"), Law(judge, Clock())
    behind = Behind(bus.nc)
    await law.open(behind)
    loaded = await law.load(behind, {name: text.encode() for name, text in newer().items()})
    assert (loaded.data.number, law.judge.reasoner.book.version) == (2, "2027.1.0")
    await bus.close()


async def test_the_change_is_an_event_that_holds_the_whole_rulebook(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await load(system, newer())
        bus = await Bus.connect(fresh_nats.settings, "routing")
        events = [RulebookLoaded.model_validate_json(await bus.read(f"rulebooks.{n}") or b"") for n in (1, 2)]
        await bus.close()
        assert [event.data.files for event in events] == [texts(), newer()]
        assert events[1].data.previous == events[0].data.rulebook


async def test_loading_what_is_in_force_changes_nothing(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answers = [await load(system, texts()), await load(system, texts())]
        assert [answer.json()["number"] for answer in answers] == [1, 1]


async def test_a_version_stays_the_name_of_one_text_and_going_back_to_that_text_is_no_new_one(
    fresh_nats: Broker, judge: Judge
) -> None:
    changed = {**texts(), "book.yaml": texts()["book.yaml"] + "\n# changed\n"}
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await load(system, changed)
        assert answer.status_code == 422
        assert "loaded before with another text" in answer.json()["faults"][0]
        for number, named in enumerate(("2027.1.0", "2027.1.1"), 2):
            assert (await load(system, newer(named))).json()["number"] == number
            assert (await load(system, changed)).status_code == 422
        assert (await load(system, texts())).json()["number"] == 4


async def test_a_broken_rulebook_is_refused_with_every_fault_and_the_old_one_goes_on(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await load(system, texts(supervision=("role: ACTION", "role: ACTOIN")))
        assert answer.status_code == 422
        assert "20-supervision.yaml:" in answer.json()["faults"][0]
        assert "did you mean 'ACTION'?" in answer.json()["faults"][0]
        assert (await system.get(DOOR, "OPERATOR")).json()["number"] == 1


async def test_a_rulebook_that_breaks_a_guarantee_is_refused_with_the_box(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await load(system, texts(supervision=("agency: BKN", "agency: POLRI")))
        assert answer.status_code == 422
        assert answer.json()["faults"]
        assert await version_used(system, "k1") == judge.reasoner.book.version


async def test_another_worker_follows(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        await load(one, newer())

        async def followed() -> bool:
            return bool((await other.get(DOOR, "OPERATOR")).json()["number"] == 2)

        await until(followed)


async def test_of_two_rulebooks_at_the_same_moment_one_wins_and_the_other_is_told(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        answers = await asyncio.gather(load(one, newer()), load(other, newer("2027.1.1")))
        assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 200])
        numbers = [answer.json().get("number") for answer in answers if answer.status_code == 200]
        assert len(set(numbers)) == len(numbers)


async def test_only_the_operator_s_key_opens_the_door(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        assert (await system.get(DOOR, "BAWASLU")).status_code == 404
        assert (await system.routing.get(DOOR)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"files": 3}', b"\xff", b"[" * 100_000, b'{"files": {"a.yaml": "\\ud800"}}'],
)
async def test_a_body_that_is_no_rulebook_is_refused_with_the_cure(
    fresh_nats: Broker, judge: Judge, body: bytes
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
        answer = await system.routing.put(DOOR, content=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["faults"]


async def test_a_file_whose_name_is_misspelt_is_not_left_out_in_silence(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        files = newer()
        files["50-crime.yml"] = files.pop("50-crime.yaml")
        answer = await load(system, files)
        assert answer.status_code == 422
        assert answer.json()["faults"][0].startswith("files.50-crime.yml: is not a file of a rulebook")


async def test_a_worker_that_cannot_read_the_law_says_so_and_decides_by_the_last_one_it_read(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        bus = await Bus.connect(fresh_nats.settings, "operator")
        await bus.js.publish("rulebooks.2", b"{}")
        await bus.close()

        async def not_ready() -> str:
            answer = await system.routing.get("/readyz")
            return str(answer.json()) if answer.status_code == 503 else ""

        assert "the rulebook in force cannot be read" in await until(not_ready)
        assert await version_used(system, "k1") == judge.reasoner.book.version
