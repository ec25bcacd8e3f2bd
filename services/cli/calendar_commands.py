"""`netral calendar …`: names, options and help; the work is imported when a command is called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

calendar = typer.Typer(
    help="The calendars in force: working days with collective leave, and election stages."
)


@calendar.callback()
def calendars() -> None:
    """The calendars in force: working days with collective leave, and election stages."""


@calendar.command(
    epilog="Examples: `netral calendar load calendars/ --dry-run` · `netral calendar load calendars/`"
)
def load(
    folder: Annotated[
        str,
        typer.Argument(metavar="FOLDER", help="Holds elections.yaml, holidays.csv and workdays.yaml."),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count which limits would move, by agency.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put calendars in force in the running system, at once and without a restart.

    Every mistake is named with file:line:column and nothing is changed. Limits that run move by a step in their case.
    """
    from services.cli.calendars import load as run

    run(folder, dry_run=dry_run, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the `calendar` group to the command line."""
    app.add_typer(calendar, name="calendar")
