"""A vault whose key is exchanged opens to the new one only, and loses nothing by it."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import update

from services.intake import vault_rekeying
from services.intake.sealing import CannotOpen, Sealer, key_id_of
from services.intake.vault import Vault
from services.intake.vault_keys import AnotherKey, exchange
from services.intake.vault_rekeying import InUse, Rewrapped
from services.intake.vault_tables import reports
from services.intake.vault_writer import VaultAway
from services.runtime.database import open_engine
from tests.intake.test_vault import KEY, an_entry

NEW, FOREIGN = b"n" * 32, b"f" * 32
DOOR = b"d" * 32


async def filled(url: str, *numbers: int, foreign: int = 0) -> None:
    vault = await opened(url, KEY)
    for number in numbers:
        await vault.keep(an_entry(number, key=FOREIGN if number == foreign else KEY))
    await vault.close()


async def opened(url: str, key: bytes) -> Vault:
    vault = Vault(open_engine(url))
    try:
        await vault.start({"vault.key": key, "door.key": DOOR})
    except AnotherKey:
        await vault.close()
        raise
    return vault


async def rekeyed(
    url: str, old: bytes = KEY, new: bytes = NEW, older: Mapping[str, bytes] | None = None
) -> Rewrapped:
    engine = open_engine(url, patient=True)
    try:
        return await vault_rekeying.rekey(engine, old, new, lambda: new, older or {})
    finally:
        await engine.dispose()


async def read(vault: Vault, number: int, key: bytes) -> object:
    sealed = await vault.sealed(UUID(int=number), "dossier")
    assert sealed
    return Sealer(key).open(UUID(int=number), "dossier", sealed)


async def test_after_it_all_is_there_and_opens_to_the_new_key_only(database_url: str) -> None:
    many = range(1, 2 * vault_rekeying._CHUNK + 10)
    await filled(database_url, *many)
    assert await rekeyed(database_url) == Rewrapped(len(many))
    with pytest.raises(AnotherKey):
        await opened(database_url, KEY)
    vault = await opened(database_url, NEW)
    for number in many:
        assert await read(vault, number, NEW) == {"n": number}
        with pytest.raises(CannotOpen):
            await read(vault, number, KEY)
    assert (await vault.keep(an_entry(1, key=NEW))).fresh is False, "a repetition is still known"
    await vault.close()
    assert await rekeyed(database_url) == Rewrapped(0), "run again it changes nothing"


async def test_what_was_erased_stays_erased(database_url: str) -> None:
    await filled(database_url, 1, 2)
    vault = await opened(database_url, KEY)
    await vault.erase(UUID(int=1), "dossier")
    await vault.erase(UUID(int=2), "dossier")
    await vault.erase(UUID(int=2), "reporter")
    await vault.close()
    assert await rekeyed(database_url) == Rewrapped(1)
    vault = await opened(database_url, NEW)
    for number in (1, 2):
        with pytest.raises(CannotOpen, match="erased"):
            await read(vault, number, NEW)
    sealed = await vault.sealed(UUID(int=1), "reporter")
    assert sealed
    assert Sealer(NEW).open(UUID(int=1), "reporter", sealed) == {}
    await vault.close()


async def test_with_a_wrong_old_key_nothing_is_changed(database_url: str) -> None:
    await filled(database_url, 1)
    with pytest.raises(AnotherKey):
        await rekeyed(database_url, old=FOREIGN)
    vault = await opened(database_url, KEY)
    assert await read(vault, 1, KEY) == {"n": 1}
    await vault.close()


async def test_reports_of_a_third_key_are_named_and_wrapped_once_it_is_at_hand(database_url: str) -> None:
    await filled(database_url, 1, 2, 3, foreign=2)
    assert await rekeyed(database_url) == Rewrapped(2, [str(UUID(int=2))])
    third = b"3" * 32
    done = await rekeyed(database_url, old=NEW, new=third, older={key_id_of(FOREIGN): FOREIGN})
    assert done == Rewrapped(3)
    vault = await opened(database_url, third)
    assert [await read(vault, number, third) for number in (1, 2, 3)] == [{"n": 1}, {"n": 2}, {"n": 3}]
    await vault.close()


async def test_a_damaged_envelope_is_named_and_the_other_part_stays_readable(database_url: str) -> None:
    await filled(database_url, 1)
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(update(reports).values(dossier_key=b"damaged envelope of some length"))
    await engine.dispose()
    assert await rekeyed(database_url) == Rewrapped(1, damaged=[str(UUID(int=1))])
    vault = await opened(database_url, NEW)
    sealed = await vault.sealed(UUID(int=1), "reporter")
    assert sealed
    assert Sealer(NEW).open(UUID(int=1), "reporter", sealed) == {}
    await vault.close()


async def test_whoever_is_overlooked_seals_nothing_more_under_the_old_key(database_url: str) -> None:
    """As a worker whose connections were cut, or one behind a pool."""
    vault = await opened(database_url, KEY)
    await vault.keep(an_entry(1))
    assert await vault.works()
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        await exchange(connection, "vault.key", NEW)
    await engine.dispose()
    with pytest.raises(VaultAway):
        await vault.keep(an_entry(2))
    assert not await vault.works()
    assert vault.another_key
    assert await vault.find(UUID(int=2)) is None
    await vault.close()


async def test_while_somebody_has_it_open_nothing_is_changed(database_url: str) -> None:
    await filled(database_url, 1)
    vault = await opened(database_url, KEY)
    with pytest.raises(InUse):
        await rekeyed(database_url)
    assert (await vault.keep(an_entry(2))).fresh
    assert await read(vault, 1, KEY) == {"n": 1}
    await vault.close()
    assert await rekeyed(database_url) == Rewrapped(2)
