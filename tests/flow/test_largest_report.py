"""The largest report the contract allows, of 200 persons and 500 acts, goes the whole road and holds up nobody else's."""

import httpx
import pytest

from services.runtime.bus import Bus
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import in_process, until

pytestmark = pytest.mark.broker
PERSONS, ACTS = 200, 500


def largest() -> dict[str, object]:
    report = a_report(narrative="n" * 20_000)
    (person,), (act,) = report["persons"], report["acts"]
    refs = [f"orang-{number}" for number in range(PERSONS)]
    report["persons"] = [{**person, "ref": ref, "name": f"Tersamar {ref}", "post": "P" * 90} for ref in refs]
    for one in report["persons"]:
        del one["nip"]
    report["acts"] = [{**act, "person": refs[number % PERSONS], "note": "c" * 1000} for number in range(ACTS)]
    return report


async def test_every_person_has_an_owner_and_the_broker_cuts_nobody_off(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats) as system:
        ticket = (await system.send(largest(), "large")).json()["ticket"]
        story = await system.story(ticket)
        assert len(story["decision"]["persons"]) == PERSONS
        bus = await Bus.connect(fresh_nats.settings, "operator")

        async def all_due() -> bool:
            subjects = await bus.js.stream_info("CASES", subjects_filter="cases.*.due.>")
            return len(subjects.state.subjects or {}) == PERSONS

        await until(all_due, 60)
        decision = len(await bus.read(f"cases.{story['case_id']}.decided") or b"")
        async with httpx.AsyncClient() as http:
            sent = (await http.get(f"http://127.0.0.1:{fresh_nats.monitor_port}/varz")).json()["out_bytes"]
        assert sent < 60 * decision, "whoever needs the decision at the same moment reads it once"
        await bus.close()
    assert "Slow Consumer" not in (fresh_nats.data_dir / "logs" / "nats.log").read_text()
