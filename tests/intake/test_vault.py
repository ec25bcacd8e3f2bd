"""The vault's promises, the same on every database it runs on."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from services.intake.sealing import CannotOpen, Sealed, Sealer
from services.intake.vault import Vault
from services.intake.vault_writer import MAX_GROUP, Entry, VaultAway
from services.runtime.database import open_engine

MOMENT = datetime(2026, 11, 24, 3, 0, 0, 5, tzinfo=UTC)
KEY = bytes(32)


def an_entry(number=1, mac=b"m", dossier=None, key=KEY):
    report_id = UUID(int=number)
    sealer = Sealer(key)
    return Entry(
        report_id=report_id,
        ticket=f"NTR-{number}",
        body_mac=mac,
        received_at=MOMENT,
        event=f'{{"number": {number}}}',
        dossier=sealer.seal(report_id, "dossier", dossier or {"n": number}),
        reporter=sealer.seal(report_id, "reporter", {}),
        key_id=sealer.key_id,
    )


@pytest.fixture
def vault_url(database_url):
    return database_url


@pytest.fixture
async def engine(vault_url):
    return open_engine(vault_url)


@pytest.fixture
async def vault(engine):
    opened = Vault(engine)
    await opened.start()
    yield opened
    await opened.close()


async def test_what_is_kept_is_found_with_its_instant(vault):
    assert (await vault.keep(an_entry())).fresh
    kept = await vault.find(UUID(int=1))
    assert (kept.received_at, kept.event) == (MOMENT, '{"number": 1}')
    assert await vault.find(UUID(int=2)) is None


async def test_an_accepted_report_is_not_forgotten_however_many_were_accepted_with_it(vault):
    many = [an_entry(number) for number in range(1, 2 * MAX_GROUP + 10)]
    await asyncio.gather(*map(vault.keep, many))
    for entry in many:
        vault.accept(entry.report_id)
    await vault.forget(many[-1].report_id)
    assert await vault.find(many[-1].report_id)
    assert await vault.waiting(MOMENT + timedelta(days=1)) == []


async def test_the_first_entry_of_a_report_stands(vault):
    await vault.keep(an_entry(mac=b"first"))
    again = await vault.keep(an_entry(mac=b"second"))
    assert (again.fresh, again.body_mac) == (False, b"first")


async def test_of_entries_kept_together_for_one_report_one_is_fresh(vault):
    standing = await asyncio.gather(*(vault.keep(an_entry(mac=bytes([n]))) for n in range(10)))
    assert [stands.fresh for stands in standing] == [True] + [False] * 9
    assert {stands.body_mac for stands in standing} == {b"\x00"}


async def test_concurrent_entries_share_commits(vault, engine):
    commits = []
    event.listen(engine.sync_engine, "commit", commits.append)
    await asyncio.gather(*(vault.keep(an_entry(number)) for number in range(1, 101)))
    assert len(commits) <= 5


async def test_an_accepted_entry_is_not_forgotten_and_no_longer_waits(vault):
    await vault.keep(an_entry())
    vault.accept(UUID(int=1))
    await vault.forget(UUID(int=1))
    assert await vault.find(UUID(int=1))
    assert await vault.waiting(MOMENT + timedelta(days=1)) == []


async def test_a_stored_entry_waits_and_can_be_forgotten(vault):
    await vault.keep(an_entry())
    assert [w.report_id for w in await vault.waiting(MOMENT + timedelta(microseconds=1))] == [UUID(int=1)]
    assert await vault.waiting(MOMENT) == []
    assert await vault.waiting(MOMENT - timedelta(hours=1)), (
        "a clock that ran ahead dated it; nobody is at work on it"
    )
    await vault.forget(UUID(int=1))
    assert await vault.find(UUID(int=1)) is None


async def test_closing_writes_what_was_only_noted(vault_url):
    vault = Vault(open_engine(vault_url))
    await vault.start()
    await vault.keep(an_entry())
    vault.accept(UUID(int=1))
    await vault.close()
    again = Vault(open_engine(vault_url))
    await again.start()
    assert await again.waiting(MOMENT + timedelta(days=1)) == []
    await again.close()


async def test_an_erased_part_never_opens_again_and_the_other_still_does(vault):
    await vault.keep(an_entry())
    assert await vault.erase(UUID(int=1), "dossier")
    with pytest.raises(CannotOpen, match="erased"):
        Sealer(KEY).open(UUID(int=1), "dossier", await vault.sealed(UUID(int=1), "dossier"))
    assert Sealer(KEY).open(UUID(int=1), "reporter", await vault.sealed(UUID(int=1), "reporter")) == {}
    assert not await vault.erase(UUID(int=9), "dossier")


async def test_an_erased_key_is_gone_from_the_files_of_sqlite(data_dir):
    vault = Vault(open_engine(f"sqlite+aiosqlite:///{data_dir / 'v.db'}"))
    await vault.start()
    await vault.keep(an_entry())
    key = (await vault.sealed(UUID(int=1), "dossier")).wrapped_key
    assert key in files(data_dir)
    await vault.erase(UUID(int=1), "dossier")
    assert key not in files(data_dir)
    await vault.close()
    assert key not in files(data_dir)


def files(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("v.db*"))


async def test_a_vault_that_is_not_open_says_so(vault_url):
    vault = Vault(open_engine(vault_url))
    with pytest.raises(VaultAway):
        await vault.keep(an_entry())
    assert not await vault.works()
    await vault.close()


async def test_a_database_that_cannot_be_opened_is_one_clear_exception(tmp_path):
    (tmp_path / "file").write_text("")
    vault = Vault(open_engine(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'v.db'}"))
    with pytest.raises(VaultAway):
        await vault.start()
    await vault.close()


def test_a_sealed_part_opens_only_as_itself():
    one, other, sealer = UUID(int=1), UUID(int=2), Sealer(KEY)
    sealed = sealer.seal(one, "dossier", {"n": 1})
    assert sealer.open(one, "dossier", sealed) == {"n": 1}
    for report_id, part, key in (
        (other, "dossier", KEY),
        (one, "reporter", KEY),
        (one, "dossier", bytes([1] * 32)),
    ):
        with pytest.raises(CannotOpen):
            Sealer(key).open(report_id, part, sealed)
    with pytest.raises(CannotOpen):
        sealer.open(
            one, "dossier", Sealed(sealed.blob[:-1] + bytes([sealed.blob[-1] ^ 1]), sealed.wrapped_key)
        )


def test_the_same_text_is_never_sealed_twice_alike():
    sealer = Sealer(KEY)
    first, second = (sealer.seal(UUID(int=1), "dossier", {"n": 1}) for _ in range(2))
    assert first.blob != second.blob
    assert first.wrapped_key != second.wrapped_key
