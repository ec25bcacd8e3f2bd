"""`netral verify`: prints what the checker found, in sentences; exit code 1 if anything was."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path

from services.cli.console import complain, tables, write_json
from services.cli.errors import Stop
from services.cli.verify.checking import TROUBLES, Checker, Counts, Databases
from services.cli.verify.days import DaysOff, days_off, packaged
from services.cli.verify.findings import Finding
from services.cli.verify.logbook import Unread
from services.cli.web import settings_of
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.routing.settings import RoutingSettings
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock, now
from services.runtime.reading import page_of
from services.runtime.settings import BadSettings


def run(*, as_json: bool, most: int, patience: float, clock: Clock = now) -> int:
    """Check everything; the exit code. Raises Stop if streams or databases cannot be read."""
    try:
        counts, found = asyncio.run(_found(clock, patience))
    except BrokerAway as away:
        raise Stop(f"verify: {away}; start it with `netral up`, or set NETRAL_NATS_URL") from None
    except Unread as unread:
        raise Stop(
            f"verify: {unread}, so nothing was compared; see `netral doctor`, then run it again"
        ) from None
    except (*TROUBLES, BadSettings) as trouble:
        cause = getattr(trouble, "orig", None) or trouble
        raise Stop(
            f"verify: streams or databases cannot be read ({type(cause).__name__}: {cause}); see `netral doctor`"
        ) from None
    if as_json:
        write_json({**counts._asdict(), "findings": [finding._asdict() for finding in found]})
    else:
        _tell(counts, found, most)
    return 1 if found else 0


async def _found(clock: Clock, patience: float) -> tuple[Counts, list[Finding]]:
    routing, intake = settings_of(RoutingSettings), settings_of(IntakeSettings)
    databases = Databases(
        routing.cases_address,
        intake.vault_address,
        settings_of(NotificationsSettings).ledger_address,
        routing.deliveries_address,
    )
    off = packaged(Path(str(files("services.routing") / "calendars")))
    bus = await Bus.connect(routing, "operator", wait=False)
    try:
        known = {off.version: off, **await loaded(bus)}
        checker = Checker(bus, databases, known, patience, _key(intake))
        found = [finding async for finding in checker.findings(clock())]
        return checker.counts, found
    finally:
        await bus.close()


def _key(intake: IntakeSettings) -> bytes | None:
    """The vault's, where this machine has it."""
    try:
        return intake.key("vault.key")
    except BadSettings:
        return None


async def loaded(bus: Bus) -> dict[str, DaysOff]:
    """The days off of all calendars that were ever in force, by the version that time limits name."""
    found, start = dict[str, DaysOff](), 1
    while page := await page_of(bus, "CALENDARS", start):
        for stored in page:
            files = json.loads(stored.body)["data"]["files"]
            off = days_off(files["holidays.csv"], files["workdays.yaml"])
            found[off.version] = off
        start = page[-1].seq + 1
    return found


def _tell(counts: Counts, found: list[Finding], most: int) -> None:
    for finding in found[:most]:
        complain(str(finding))
    if len(found) > most:
        complain(f"… and {len(found) - most} more; `netral verify --json` shows all")
    looked = f"{counts.reports} reports, {counts.cases} cases, {counts.events} events"
    moving = (
        f" ({counts.moving} went on meanwhile and were not compared with the read model)"
        if counts.moving
        else ""
    )
    verdict = f"{len(found)} findings" if found else "everything is as promised"
    tables().print(f"{looked}: {verdict}{moving}", markup=False)
