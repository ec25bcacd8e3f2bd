"""`netral rekey`: the vault gets another key while intake stands still; interrupted anywhere it is run again (ADR 0109)."""

import asyncio
import secrets
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from deploy.local.secrets import write_private
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
    folder, where = settings.data_dir / "secrets", settings.vault_address
    if not databases.is_there(where):
        shown = make_url(where).render_as_string(hide_password=True)
        raise Stop(f"rekey: {shown} holds no vault yet; nothing was changed", BAD_INPUT)
    try:
        old = settings.key(NAME)
        if not (folder / NEXT).exists():
            write_private(folder / NEXT, secrets.token_hex(32) + "\n")
        new = settings.key(NEXT)
        if new != old:  # or only the last step is missing
            write_private(folder / f"{NAME}.{key_id_of(old)}", old.hex() + "\n")
        done = asyncio.run(_rekeyed(where, old, new, _kept(settings, folder)))
        write_private(folder / NAME, new.hex() + "\n")
        (folder / NEXT).unlink()
    except BadSettings as problem:
        raise Stop(f"rekey: {problem}", BAD_INPUT) from None
    except OSError as problem:
        says = f"rekey: {folder} cannot be written ({problem.strerror}); mend that, then run it again"
        raise Stop(says, TROUBLE) from None
    _tell(done, folder)


async def _rekeyed(where: str, old: bytes, new: bytes, older: dict[str, bytes]) -> Rewrapped:
    engine = open_engine(where, patient=True)
    try:
        return await wrap_anew(engine, old, new, older)
    except InUse:
        says = "rekey: the vault is in use; stop `netral up` (or every intake), then run it again"
        raise Stop(says, TROUBLE) from None
    except AnotherKey as wrong:
        raise Stop(f"rekey: {wrong}", BAD_INPUT) from None
    except SQLAlchemyError as trouble:
        raise Stop(f"rekey: the vault does not answer ({type(trouble).__name__}); run it again") from None
    finally:
        await engine.dispose()


def _kept(settings: IntakeSettings, folder: Path) -> dict[str, bytes]:
    """The keys of before, by their ids."""
    unfinished = (NEXT, ".new")
    names = [path.name for path in folder.glob(f"{NAME}.*") if not path.name.endswith(unfinished)]
    return {key_id_of(key): key for key in map(settings.key, names)}


def _tell(done: Rewrapped, folder: Path) -> None:
    out = tables()
    out.print(f"The vault opens to a new {NAME} now; {done.reports} reports were wrapped anew.", markup=False)
    out.print(
        f"{folder}/{NAME}.*: older keys, for older backups. Destroy each when those are gone.", markup=False
    )
    out.print(
        f"Next: copy {NAME} to every machine that runs intake and to your backup of keys; start intake."
    )
    if done.closed:
        for report_id in done.closed[:20]:
            complain(f"{report_id}: opens with no key that is here; it stays as it was")
        says = f"rekey: {len(done.closed)} reports stay under keys that are not here; put those into {folder}"
        raise Stop(f"{says} as {NAME}.another (any ending), then run it again", TROUBLE)
