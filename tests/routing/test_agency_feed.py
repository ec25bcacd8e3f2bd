"""The agencies' stream holds what each office is told, in the order of the case, once, also after a break."""

import json
from collections.abc import Awaitable, Callable

import nats as client
import pytest
from nats.aio.msg import Msg

from services.routing.agency_feed import AgencyFeed
from services.routing.core.decide import Judge
from services.runtime.connecting import connection
from tests.behind import Behind
from tests.cli.verify.planting import a_log
from tests.cli.verify.planting import stored as known
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import in_process, until

pytestmark = pytest.mark.broker


async def stored(broker: Broker) -> list[tuple[str, dict]]:  # type: ignore[type-arg]
    """Every event of the agencies' stream, with its subject, in its order."""
    nc = await client.connect(**connection(broker.settings, "operator"))
    js = nc.jetstream()
    state = (await js.stream_info("TOLD")).state
    found = [await js.get_msg("TOLD", seq) for seq in range(1, state.last_seq + 1)]
    await nc.close()
    return [(str(message.subject), json.loads(message.data or b"")) for message in found]


def at_least(broker: Broker, count: int) -> Callable[[], Awaitable[list[tuple[str, dict]] | None]]:  # type: ignore[type-arg]
    async def there() -> list[tuple[str, dict]] | None:  # type: ignore[type-arg]
        found = await stored(broker)
        return found if len(found) >= count else None

    return there


async def test_every_office_is_told_in_the_order_of_the_case(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        for number, (agency, event, result) in enumerate(
            [("BAWASLU", "STUDY_CONCLUDED", "BREACH"), ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")], 1
        ):
            assert (await say(system, case_id, agency, event=event, result=result)).status_code == 200
            await seen(system, case_id, number)

        async def ppk() -> list[tuple[str, dict]] | None:  # type: ignore[type-arg]
            found = await stored(fresh_nats)
            return found if any(subject.startswith("told.PPK.") for subject, _ in found) else None

        found = await until(ppk)
    numbers = [event["data"]["number"] for _, event in found]
    assert numbers == sorted(numbers)
    bkn = [event["type"].split(".")[3] for subject, event in found if subject.startswith("told.BKN.pusat.")]
    assert bkn[0] == "offered"
    assert set(bkn[1:]) == {"stepped"}
    assert all(event["data"]["case_id"] == case_id for _, event in found)


async def test_what_a_copy_of_the_cases_does_not_hold_yet_parks_no_step(
    fresh_nats: Broker, judge: Judge
) -> None:
    log = a_log(judge, "one", (("BAWASLU", "STUDY_CONCLUDED", "BREACH"),))
    (step,) = [entry for entry in log if ".step." in entry["subject"]]
    cases = [entry for entry in log if entry["subject"].startswith("cases.")]
    async with known(fresh_nats, cases) as leader:
        message = Msg(leader.nc, step["subject"], data=json.dumps(step["event"]).encode())
        await AgencyFeed(Behind(leader.nc)).handle([message])
    told = {subject for subject, _ in await stored(fresh_nats)}
    after_the_step = (entry["subject"] for entry in log if entry["subject"].endswith(".1"))
    assert told == {subject for subject in after_the_step if subject.startswith("told.")}


async def test_cases_from_before_are_told_too_and_nothing_is_told_twice(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await opened(system)
        first = await until(at_least(fresh_nats, 2))
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    answer = await nc.request("$JS.API.CONSUMER.RESET.CASES.routing-agencies", b'{"seq": 1}')
    assert "error" not in json.loads(answer.data)
    await nc.close()
    async with in_process(fresh_nats, judge=judge) as system:
        await opened(system, "k2", incident__occurred_on="2024-10-23")
        both = await until(at_least(fresh_nats, len(first) * 2))
    assert both[: len(first)] == first
    assert len({event["id"] for _, event in both}) == len(both)
