"""What the vault or the broker lost is found by looking at a few reports at a time."""

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from deploy.streams import provision
from services.intake.app import settle
from services.intake.audit import SAMPLE, Apart, Audit
from services.intake.handlers import Intake
from services.intake.vault import Vault
from services.intake.vault_tables import STORED, reports
from services.runtime.database import open_engine
from services.runtime.messaging import Bus
from tests.intake.test_app import send
from tests.intake.test_handlers import rows
from tests.intake.waiting import eventually

pytestmark = pytest.mark.broker
REPORTS = 3 * SAMPLE


@pytest.fixture
async def looking(with_broker, clock, open_door):
    """A door that took some reports, and an audit of its vault and its stream."""
    async with open_door(with_broker, clock) as door:
        await asyncio.gather(*(send(door, f"k{n}") for n in range(REPORTS)))
        address = door.settings.vault_address

        async def noted():
            return await rows(address) == {"accepted": REPORTS}

        await eventually(noted)
        vault = Vault(open_engine(address))
        await vault.start()
        buses = {user: await Bus.connect(door.settings, user) for user in ("intake", "operator")}
        audit = Audit(vault, dice=random.Random(7))
        later = clock() + timedelta(seconds=1)

        async def look():
            return await audit.look(buses["intake"], later)

        intake = Intake(vault, None, b"", clock, buses["intake"])
        look.settle = lambda doubted: settle(intake, audit, later, doubted)
        yield look, address, buses["operator"]
        await vault.close()
        for bus in buses.values():
            await bus.close()


async def found(look, looks=12):
    """What a number of looks found missing, together."""
    seen = [await look() for _ in range(looks)]
    return Apart(*(set().union(*missing) for missing in zip(*seen, strict=True)))


async def test_where_both_hold_everything_and_garbage_lies_on_the_stream_nothing_is_found(looking):
    look, _, operator = looking
    await operator.js.publish("reports.00000000-0000-0000-0000-000000000063.accepted", b"{")
    assert await found(look) == Apart(set(), set())


async def test_what_the_vault_lost_is_found(looking):
    look, address, _ = looking
    engine = open_engine(address)
    async with engine.begin() as connection:
        ids = (await connection.execute(select(reports.c.report_id).order_by(reports.c.report_id))).scalars()
        gone = set(ids.all()[::4])
        await connection.execute(delete(reports).where(reports.c.report_id.in_(gone)))
    await engine.dispose()
    missing = await found(look, 30)
    assert {str(report_id) for report_id in missing.vault} <= gone
    assert len(missing.vault) > len(gone) / 2  # more than one place on the stream was looked at
    assert not missing.stream


async def test_an_older_copy_of_the_vault_is_found_at_the_first_look(looking):
    look, address, operator = looking
    newest = (await operator.js.get_last_msg("REPORTS", "reports.*.accepted")).subject.split(".")[1]
    engine = open_engine(address)
    async with engine.begin() as connection:
        await connection.execute(delete(reports).where(reports.c.report_id == newest))
    await engine.dispose()
    assert [str(report_id) for report_id in (await look()).vault] == [newest]


async def test_what_a_broker_that_lost_reports_lacks_is_not_deleted_as_never_accepted(looking):
    """A service that is killed within a moment of the answer has not noted that the broker acknowledged."""
    look, address, operator = looking
    doubtful = (await operator.js.get_last_msg("REPORTS", "reports.*.accepted")).subject.split(".")[1]
    engine = open_engine(address)
    async with engine.begin() as connection:
        mine = reports.c.report_id == doubtful
        await connection.execute(update(reports).where(mine).values(state=STORED))
    await engine.dispose()
    await operator.js.delete_stream("REPORTS")
    await provision(operator.js)
    doubted = frozenset()
    for _ in range(3):
        doubted = await look.settle(doubted)
    assert (await rows(address))["stored"] == 1


async def test_what_the_broker_lost_is_found(looking):
    look, _, operator = looking
    await operator.js.delete_stream("REPORTS")
    await provision(operator.js)
    missing = await found(look)
    assert len(missing.stream) > SAMPLE
    assert not missing.vault
