"""`netral doctor`: runs every check and prints one line for each, with its cure."""

import asyncio
from dataclasses import asdict

from services.cli.backup import addresses
from services.cli.checks.broker import broker
from services.cli.checks.data_folder import data_folder
from services.cli.checks.database_files import database_files
from services.cli.checks.finding import Finding, Verdict
from services.cli.checks.installation import installation
from services.cli.checks.law import calendars, law
from services.cli.checks.monitoring import monitoring
from services.cli.checks.queues import matches
from services.cli.checks.services import services
from services.cli.console import printable, tables, write_json
from services.cli.errors import TROUBLE
from services.cli.web import settings_of
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings

COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def doctor(*, as_json: bool) -> int:
    """1 if a check fails, else 0."""
    findings = _findings()
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    return TROUBLE if any(finding.verdict is Verdict.FAIL for finding in findings) else 0


def _findings() -> list[Finding]:
    intake = settings_of(IntakeSettings)
    routing, notifications = settings_of(RoutingSettings), settings_of(NotificationsSettings)
    elsewhere = settings_of(OpsSettings)
    return [
        *installation(),
        *data_folder(intake.data_dir),
        *database_files(addresses()),
        *asyncio.run(broker(intake)),
        *monitoring(elsewhere),
        *services(intake, routing, notifications, elsewhere),
        law(),
        calendars(),
        matches(),
    ]


def _show(finding: Finding) -> None:
    console = tables()
    console.print(f"{finding.verdict:4} ", style=COLOURS[finding.verdict], end="")
    console.print(printable(f"{finding.what}: {finding.says}"), markup=False)
    if finding.cure:
        console.print(printable(f"     cure: {finding.cure}"), markup=False)
