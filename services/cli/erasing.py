"""`netral erase`: the key of one part of one report is destroyed, while everything runs (ADR 0012)."""

import asyncio
from uuid import UUID

import typer

from contracts.ids import report_id_of
from services.cli import databases
from services.cli.console import tables
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import settings_of
from services.intake.sealing import Part
from services.intake.settings import IntakeSettings
from services.intake.vault import Vault
from services.intake.vault_keys import AnotherKey
from services.intake.vault_writer import VaultAway
from services.runtime.database import open_engine
from services.runtime.settings import BadSettings

GOES = {
    "reporter": "who reported it: name, address, e-mail and phone. Mails to this reporter end",
    "dossier": "the report itself: who is named in it, what is said, and what it was compared by. Agencies see the rest",
}


def erase(ticket: str, part: str, *, yes: bool) -> None:
    """Ask, then destroy. Raises Stop."""
    what = _part(part)
    settings = settings_of(IntakeSettings)
    if not databases.is_there(settings.vault_address):
        raise Stop("erase: there is no vault yet", BAD_INPUT)
    shown = ticket.strip().upper()
    tables().print(f"{shown}: for ever goes {GOES[what]}.", markup=False, highlight=False)
    if not yes and typer.prompt("Type the ticket again to erase it").strip().upper() != shown:
        raise Stop("erase: that is another ticket; nothing was erased", BAD_INPUT)
    try:
        known = asyncio.run(_erased(settings, report_id_of(shown), what))
    except (BadSettings, AnotherKey) as wrong:
        raise Stop(f"erase: {wrong}", BAD_INPUT) from None
    except VaultAway as away:
        raise Stop(f"erase: the vault does not answer ({away}); run it again", TROUBLE) from None
    if not known:
        raise Stop(f"erase: no report has the ticket {shown[:40]}", BAD_INPUT)
    tables().print(
        "Erased. A backup from before still opens it: keep none for longer than you may, and after a restore erase again.",
        markup=False,
    )


def _part(text: str) -> Part:
    match text:
        case "reporter" | "dossier":
            return text
    raise Stop(f"--part: {text[:40]!r} is none; write reporter or dossier", BAD_INPUT)


async def _erased(settings: IntakeSettings, report_id: UUID, part: Part) -> bool:
    vault = Vault(open_engine(settings.vault_address))
    try:
        await vault.start(settings.keys)
        return await vault.erase(report_id, part)
    finally:
        await vault.close()
