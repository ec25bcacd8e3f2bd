"""A new report meets the earlier ones it may repeat, and few others; the vault's database keeps no name for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import event, select

from contracts.door import read_report
from contracts.ids import ticket_for
from contracts.matches import Reason
from services.intake.core.acceptance import accept
from services.intake.core.thresholds import THRESHOLDS
from services.intake.match_index import MatchIndex
from services.intake.matcher import Matcher
from services.intake.sealing import Sealer
from services.intake.vault import Vault
from services.intake.vault_tables import match_keys
from services.intake.vault_writer import Entry
from services.runtime.database import open_engine
from tests.intake.builders import a_report
from tests.intake.core.pairs import Letters

MOMENT = datetime(2026, 11, 24, 3, tzinfo=UTC)
KEY = b"k" * 32


class Office:
    """A vault with its index, without a door and a bus."""

    def __init__(self, engine):
        self.engine, self.vault, self.sealer = engine, Vault(engine), Sealer(bytes(32))
        self.index = MatchIndex(engine)
        self.matcher = Matcher(self.vault, self.index, self.sealer, KEY, lambda: MOMENT)
        self.count = 0

    async def keep(self, document):
        """An accepted report, in the vault and not yet compared."""
        self.count += 1
        at = MOMENT + timedelta(seconds=self.count)
        report = read_report(document, at.date())
        acceptance = accept(report, ticket_for(KEY, str(self.count)), at, KEY)
        report_id = acceptance.event.data.report_id
        await self.vault.keep(
            Entry(
                report_id=report_id,
                ticket=acceptance.event.data.ticket,
                body_mac=b"m",
                received_at=at,
                event=acceptance.event.model_dump_json(by_alias=True),
                dossier=self.sealer.seal(report_id, "dossier", acceptance.dossier),
                reporter=self.sealer.seal(report_id, "reporter", {}),
                key_id="k",
            )
        )
        return acceptance.event

    async def compared(self, accepted):
        """What is said of one report, or None."""
        return next(iter(await self.matcher.compare([accepted])), None)

    async def send(self, document):
        accepted = await self.keep(document)
        return SimpleNamespace(accepted=accepted, found=await self.compared(accepted))


@pytest.fixture
def vault_url(database_url):
    return database_url


@pytest.fixture
async def office(vault_url):
    opened = Office(open_engine(vault_url))
    await opened.vault.start()
    yield opened
    await opened.vault.close()


def named(name, **changes):
    person = {"ref": "a", "status": "PNS", "name": name, "post": "GURU"}
    act = {"person": "a", "code": "PHOTO_WITH_CANDIDATE", "beneficiary": "CALON"}
    return a_report(**{"persons": [person], "acts": [act], **changes})


async def test_a_name_spelt_otherwise_is_found_with_its_reasons_and_ticket(office):
    first = await office.send(named("Kanari Satu"))
    assert first.found is None
    second = await office.send(named("Drs. Kanari Satoe, M.Si.", evidence=[]))
    (other,) = second.found.data.others
    assert (other.report_id, other.ticket) == (first.accepted.data.report_id, first.accepted.data.ticket)
    assert other.case_id != second.accepted.data.case_id
    assert {Reason.SAME_NAME, Reason.SAME_REGENCY, Reason.SAME_DAY, Reason.SAME_ACT} == set(other.reasons)
    assert "anari" not in second.found.model_dump_json()


async def test_strangers_and_exact_copies_are_not_asked_about(office):
    await office.send(named("Kanari Satu"))
    assert (await office.send(named("KANARI SATU", evidence=[]))).found is None
    assert (await office.send(named("Merpati Dua", evidence=[]))).found is None


async def test_one_file_is_found_however_far_the_days_and_places_lie_apart(office):
    await office.send(named("Kanari Satu"))
    far = {"incident__region": "kemendagri:33.27", "incident__occurred_on": "2024-09-01"}
    found = (await office.send(named("Kanari Satu", **far))).found
    assert Reason.SAME_EVIDENCE in found.data.others[0].reasons
    assert (await office.send(named("Kanari Satu", **far, evidence=[], persons__0__post="Camat"))).found


async def test_on_the_first_and_the_last_day_of_the_calendar_reports_are_compared_too(office):
    for day in ("0001-01-01", "2026-11-24"):
        said = {"incident__occurred_on": day, "incident__known_on": day}
        await office.send(named(f"Kanari {day}", **said))
        assert (await office.send(named(f"Kanarie {day}", **said))).found


async def test_comparing_again_says_the_same(office):
    await office.send(named("Kanari Satu"))
    again = await office.send(named("Kanari Satoe"))
    assert await office.compared(again.accepted) == again.found


async def test_of_two_that_come_at_one_instant_at_least_one_sees_the_other(office):
    kept = [await office.keep(named(name)) for name in ("Kanari Satu", "Kanari Satoe")]
    found = await asyncio.gather(*(office.compared(accepted) for accepted in kept))
    assert any(found)


async def test_a_burst_of_near_copies_costs_each_the_same_and_asks_once_for_each(office):
    """Of 300 copies, each spelt otherwise, every one is offered with the first; none is compared with all."""
    letters, opened = Letters(9), []
    event.listen(office.engine.sync_engine, "before_cursor_execute", lambda *args: opened.append(args[2]))
    first = (await office.send(named("Kanariwati Satu"))).accepted.data.case_id
    costs = []
    for number in range(300):
        before = len(opened)
        sent = await office.send(named(f"Kanariwati Satu {letters.word(2)} {number}"[:40]))
        assert [other.case_id for other in sent.found.data.others] == [first]
        costs.append(len(opened) - before)
    assert max(costs) <= 12, "statements for one report"


async def test_a_report_is_opened_beside_few_others(office):
    asked = []

    def count(_connection, _cursor, statement, parameters, *_rest):
        if "dossier" in statement and statement.startswith("SELECT"):
            asked.append(len(parameters))

    event.listen(office.engine.sync_engine, "before_cursor_execute", count)
    for number in range(80):
        await office.send(named(Letters(number).name(), evidence=[]))
    assert 10 < max(asked) <= THRESHOLDS.compared


async def test_the_index_holds_no_name_and_forgets_what_was_erased(office):
    sent = await office.send(named("Kanari Satu", persons__0__nip="198609262015051001"))
    async with office.engine.connect() as connection:
        rows = (await connection.execute(select(match_keys))).all()
    assert rows
    assert not any(word in str(rows) for word in ("anari", "1986"))
    await office.vault.erase(sent.accepted.data.report_id, "dossier")
    async with office.engine.connect() as connection:
        assert (await connection.execute(select(match_keys))).all() == []
    assert (await office.send(named("Kanari Satoe"))).found is None
