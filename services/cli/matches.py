"""`netral matches …`: names, options and help; the work is imported when a command is called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="One or more ids shown by `netral matches`.")]
Reason = Annotated[str, typer.Option(help="Why; it is sealed in the log.")]

matches = typer.Typer(help="Answer whether two reports tell of one event.", invoke_without_command=True)


@matches.callback()
def by_default(context: typer.Context) -> None:
    """List pairs of reports that may tell of one event, and answer them. Nothing is merged by itself."""
    if context.invoked_subcommand is None:
        listing()


@matches.command("list")
def listing(
    limit: Annotated[int, typer.Option(min=1, max=200, help="Oldest pairs to show.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for a script.")] = False,
) -> None:
    """List the pairs nobody answered, the oldest first, with their reasons and age."""
    from services.cli.matching import listing as run

    run(limit=limit, as_json=as_json)


@matches.command(epilog="Example: `netral matches show 9c1f6f5e-7a29-5a52-8f6e-0f0d4a5b6c7d`")
def show(match_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Print both reports of a pair, without their reporters, as JSON."""
    from services.cli.matching import show as run

    run(match_id)


@matches.command(epilog="Example: `netral matches same ID --reason 'the same photograph'`")
def same(ids: Ids, *, reason: Reason) -> None:
    """Link the case with fewer persons, else the younger one, to the other. A step VOID takes it back."""
    from services.cli.matching import answer as run

    run(ids, "SAME", reason)


@matches.command(epilog="Example: `netral matches different ID --reason 'two brothers'`")
def different(ids: Ids, *, reason: Reason) -> None:
    """Leave both cases as they are and ask no more."""
    from services.cli.matching import answer as run

    run(ids, "DIFFERENT", reason)


def register(app: typer.Typer) -> None:
    """Add the commands to `netral`."""
    app.add_typer(matches, name="matches")
