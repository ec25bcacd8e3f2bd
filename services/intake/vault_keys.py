"""Whether a vault was filled with the keys this service was started with: with others it would seal, and name, in vain."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.sealing import key_id_of
from services.intake.vault_tables import keys, reports
from services.runtime.database import insert_new
from services.runtime.logs import log


class AnotherKey(Exception):
    """What lies in the vault was made with another key of this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the vault opens to another {name}; restore that key from your backup and restart"
            + (", or run `netral rekey` again where it was interrupted" if name == "vault.key" else "")
        )


async def check(connection: AsyncConnection, given: Mapping[str, bytes]) -> None:
    """Note the keys of an empty vault, by their hashes; afterwards these are wanted. Raises AnotherKey, SQLAlchemyError."""
    for name, key in given.items():
        mark, noted = _mark(name, key), select(keys.c.mark).where(keys.c.name == name)
        if (await connection.execute(noted)).scalar() is None:
            if name == "vault.key":
                await _sealed_before(connection, key)
            await connection.execute(insert_new(connection, keys).values(name=name, mark=mark))
        if (await connection.execute(noted)).scalar() != mark:
            raise AnotherKey(name)


async def wants(connection: AsyncConnection, name: str, key: bytes) -> bool:
    """Whether a vault opens to this key of that name. Raises SQLAlchemyError."""
    noted = await connection.execute(select(keys.c.mark).where(keys.c.name == name))
    return noted.scalar() == _mark(name, key)


async def exchange(connection: AsyncConnection, name: str, key: bytes) -> None:
    """From now on the vault opens to this key instead of the noted one. Raises SQLAlchemyError."""
    change = update(keys).where(keys.c.name == name).values(mark=_mark(name, key))
    await connection.execute(change)


async def _sealed_before(connection: AsyncConnection, key: bytes) -> None:
    """A vault of a release that noted no keys says with each report which one sealed it, unless it was erased.

    One that two keys have filled opens to both: neither is the only right one.
    """
    part = or_(reports.c.dossier_key.is_not(None), reports.c.reporter_key.is_not(None))
    ours = reports.c.key_id == key_id_of(key)
    found = [
        (await connection.execute(select(reports.c.report_id).where(part, mine).limit(1))).scalar()
        for mine in (ours, ~ours)
    ]
    if found[1] is not None:
        log("vault.foreign_reports", level="WARNING", report_id=found[1])
        if found[0] is None:
            raise AnotherKey("vault.key")


def _mark(name: str, key: bytes) -> str:
    return hashlib.sha256(b"netral " + name.encode() + b"\x00" + key).hexdigest()
