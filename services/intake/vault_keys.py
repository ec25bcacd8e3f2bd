"""Whether a vault was filled with the keys this service was started with: with others it would seal, and name, in vain."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.sealing import key_id_of
from services.intake.vault_tables import keys, reports
from services.runtime.database import insert_new


class AnotherKey(Exception):
    """What lies in the vault was made with another key of this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the vault was filled with another {name}; restore that key from your backup and restart"
        )


async def check(connection: AsyncConnection, given: Mapping[str, bytes]) -> None:
    """Note the keys of an empty vault, by their hashes; afterwards these are wanted. Raises AnotherKey, SQLAlchemyError."""
    for name, key in given.items():
        mark = _mark(name, key)
        new = await connection.execute(
            insert_new(connection, keys).values(name=name, mark=mark).returning(keys.c.mark)
        )
        if new.scalar() is None:
            if (await connection.execute(select(keys.c.mark).where(keys.c.name == name))).scalar() != mark:
                raise AnotherKey(name)
        elif name == "vault.key":
            await _sealed_before(connection, key)


async def _sealed_before(connection: AsyncConnection, key: bytes) -> None:
    """A vault of a release that noted no keys says with each report which one sealed it."""
    foreign = select(reports.c.key_id).where(reports.c.key_id != key_id_of(key)).limit(1)
    if (await connection.execute(foreign)).scalar() is not None:
        raise AnotherKey("vault.key")


def _mark(name: str, key: bytes) -> str:
    return hashlib.sha256(b"netral " + name.encode() + b"\x00" + key).hexdigest()
