"""A case is read as its stream holds it, also where the stream is not what it was when it was read before."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.streams import provision
from services.routing.casefiles import OPENINGS, SPOKEN, Casefiles, NoSuchCase
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.behind import Behind
from tests.cli.verify.planting import a_log, publish, stored, told
from tests.conftest import Broker

pytestmark = pytest.mark.broker
STUDY = ("BAWASLU", "STUDY_CONCLUDED", "BREACH")
RECOMMENDED = ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")
NOT_PROVEN = ("BKN", "SUPERVISOR_CONCLUDED", "NOT_PROVEN")


def case_of(log: list[Any]) -> UUID:
    return UUID(told(log, "decided")["data"]["case_id"])


async def made_anew(bus: Bus, log: list[Any], without: str) -> None:
    """The stream after a loss: it holds all of the log but one record."""
    await bus.js.delete_stream("CASES")
    await provision(bus.js)
    kept = [entry for entry in log if entry["subject"].startswith("cases.") and entry["subject"] != without]
    await publish(bus, kept)


async def tell(bus: Bus, log: list[Any], subject: str) -> None:
    await publish(bus, [entry for entry in log if entry["subject"] == subject])


async def test_a_case_that_goes_on_is_read_to_its_present_end(fresh_nats: Broker, judge: Judge) -> None:
    log = a_log(judge, "one", (STUDY, RECOMMENDED))
    case_id = case_of(log)
    last = f"cases.{case_id}.step.2"
    async with stored(fresh_nats, [entry for entry in log if entry["subject"] != last]) as bus:
        files = Casefiles(bus)
        assert (await files.read(case_id)).matters[0].state == "BREACH"
        await tell(bus, log, last)
        for reader in (files, files, Casefiles(bus)):
            file = await reader.read(case_id)
            assert (len(file.steps), file.matters[0].state) == (2, "RECOMMENDED")


async def test_a_stream_that_lost_its_end_and_went_on_otherwise_is_believed(
    fresh_nats: Broker, judge: Judge
) -> None:
    log, other = a_log(judge, "one", (STUDY, RECOMMENDED)), a_log(judge, "one", (STUDY, NOT_PROVEN))
    case_id = case_of(log)
    last = f"cases.{case_id}.step.2"
    async with stored(fresh_nats, log) as bus:
        files = Casefiles(bus)
        assert (await files.read(case_id)).matters[0].state == "RECOMMENDED"
        await made_anew(bus, log, without=last)
        assert (await files.read(case_id)).matters[0].state == "BREACH"
        await tell(bus, log, last)
        assert (await files.read(case_id)).matters[0].state == "RECOMMENDED"
        await made_anew(bus, log, without=last)
        await tell(bus, other, last)
        file = await files.read(case_id)
        assert file.matters[0].state == "NOT_PROVEN_BY_SUPERVISOR"
        assert [step.said.result for step in file.steps] == ["BREACH", "NOT_PROVEN"]


async def test_a_case_whose_decision_is_lost_is_no_case_although_it_is_known(
    fresh_nats: Broker, judge: Judge
) -> None:
    log = a_log(judge, "one", (STUDY,))
    case_id = case_of(log)
    async with stored(fresh_nats, log) as bus:
        files = Casefiles(bus)
        await files.read(case_id)
        await made_anew(bus, log, without=f"cases.{case_id}.decided")
        with pytest.raises(NoSuchCase):
            await files.read(case_id)


async def test_few_cases_are_kept_and_an_unknown_one_is_none(fresh_nats: Broker, judge: Judge) -> None:
    logs = [a_log(judge, f"case {n}", (STUDY,)) for n in range(SPOKEN + 3)]
    async with stored(fresh_nats, [entry for log in logs for entry in log]) as bus:
        files = Casefiles(bus)
        for log in logs:
            assert (await files.read(case_of(log))).matters[0].state == "BREACH"
        assert (len(files._openings), len(files._heard)) == (OPENINGS, SPOKEN)
        with pytest.raises(NoSuchCase):
            await files.read(uuid4())


async def test_a_case_that_a_copy_of_the_stream_does_not_know_yet_is_read_from_its_leader(
    fresh_nats: Broker, judge: Judge
) -> None:
    log = a_log(judge, "one", (STUDY, RECOMMENDED))
    async with stored(fresh_nats, log) as leader:
        bus = Behind(leader.nc)
        file = await Casefiles(bus).read(case_of(log))
        assert (file.decided.data.case_id, len(file.steps)) == (case_of(log), 2)
        with pytest.raises(NoSuchCase):
            await Casefiles(bus).read(uuid4())
