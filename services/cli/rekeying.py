"""`netral rekey`: the vault gets another key while intake stands still; interrupted anywhere it is run again (ADR 0109)."""

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from deploy.local.preflight import locked
from deploy.local.secrets import CannotStart, sync_folder, write_private
from services.cli import databases
from services.cli.console import complain, tables
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import settings_of
from services.intake.sealing import key_id_of
from services.intake.settings import IntakeSettings
from services.intake.vault_keys import AnotherKey
from services.intake.vault_rekeying import InUse, Rewrapped
from services.intake.vault_rekeying import rekey as wrap_anew
from services.runtime.database import open_engine
from services.runtime.settings import BadSettings

NAME = "vault.key"
NEXT = f"{NAME}.next"


def rekey() -> None:
    """Draw a key, wrap what the vault holds with it, put it in the place of the old one. Raises Stop."""
    settings = settings_of(IntakeSettings)
    folder = settings.data_dir / "secrets"
    _must_be_ours(folder / NAME, settings.vault_address)
    try:
        with locked(settings.data_dir):
            done = _exchanged(settings, folder)
    except (BadSettings, CannotStart) as problem:
        raise Stop(f"rekey: {problem}", BAD_INPUT) from None
    except OSError as problem:
        says = f"rekey: {folder} cannot be written ({problem.strerror}); mend that, then run it again"
        raise Stop(says, TROUBLE) from None
    _tell(done, folder)


def _must_be_ours(key: Path, vault: str) -> None:
    """Raises Stop."""
    if not databases.is_there(vault):
        shown = make_url(vault).render_as_string(hide_password=True)
        raise Stop(f"rekey: {shown} holds no vault yet; nothing was changed", BAD_INPUT)
    if key.is_symlink():
        says = "a link, which would be replaced by a file; run it on a data folder that holds the key itself"
        raise Stop(f"rekey: {key} is {says} (docs/operations.md)", BAD_INPUT)
    if key.exists() and key.stat().st_uid != os.geteuid():
        raise Stop(
            f"rekey: {key} is another user's, who must be able to read the new one; run it as that user"
        )


def _exchanged(settings: IntakeSettings, folder: Path) -> Rewrapped:
    """Every step can be repeated: what a run that was interrupted had drawn holds. Raises BadSettings, OSError, Stop."""
    old = settings.key(NAME)
    coming = settings.key(NEXT) if (folder / NEXT).exists() else None
    if coming == old:  # it is in its place already
        _remove(folder / NEXT)
        coming = None

    def draw() -> bytes:
        if coming is None:
            write_private(folder / NEXT, secrets.token_hex(32) + "\n")
        write_private(folder / f"{NAME}.{key_id_of(old)}", old.hex() + "\n")
        return settings.key(NEXT)

    done = asyncio.run(_rekeyed(settings.vault_address, old, coming, draw, _kept(settings, folder)))
    write_private(folder / NAME, settings.key(NEXT).hex() + "\n")
    _remove(folder / NEXT)
    return done


async def _rekeyed(
    where: str, old: bytes, coming: bytes | None, draw: Callable[[], bytes], older: dict[str, bytes]
) -> Rewrapped:
    engine = open_engine(where, patient=True)
    try:
        return await wrap_anew(engine, old, coming, draw, older)
    except InUse:
        says = (
            "rekey: the vault is in use; stop `netral up` (or every intake, and who else uses its database)"
        )
        raise Stop(f"{says}, then run it again", TROUBLE) from None
    except AnotherKey as wrong:
        raise Stop(f"rekey: {wrong}", BAD_INPUT) from None
    except SQLAlchemyError as trouble:
        why = trouble.orig if isinstance(trouble, DBAPIError) else type(trouble).__name__
        raise Stop(
            f"rekey: the vault does not answer ({str(why)[:200]}); mend that, then run it again"
        ) from None
    finally:
        await engine.dispose()


def _kept(settings: IntakeSettings, folder: Path) -> dict[str, bytes]:
    """The keys of before that lie beside, by their ids."""
    found = {}
    for path in folder.glob(f"{NAME}.*"):
        if not path.name.endswith((NEXT, ".new")):
            try:
                key = settings.key(path.name)
            except BadSettings:
                complain(f"{path}: is no key of 64 hexadecimal digits, and is left out")
            else:
                found[key_id_of(key)] = key
    return found


def _remove(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)


def _tell(done: Rewrapped, folder: Path) -> None:
    out = tables()
    out.print(f"The vault opens to a new {NAME} now; {done.reports} reports were wrapped anew.", markup=False)
    out.print(
        f"{folder}/{NAME}.*: older keys, for older backups. Destroy each when those are gone.", markup=False
    )
    out.print(
        f"Next: copy {NAME} to every machine that runs intake and to your backup of keys; start intake."
    )
    for report_id in done.damaged[:20]:
        complain(f"{report_id}: the envelope of a part is damaged; no key opens it")
    for report_id in done.closed[:20]:
        complain(f"{report_id}: opens with no key that is here; it stays as it was")
    if done.closed:
        says = f"rekey: {len(done.closed)} reports stay under keys that are not here; put those into {folder}"
        raise Stop(f"{says} as {NAME}.another (any ending), then run it again", TROUBLE)
