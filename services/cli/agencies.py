"""`netral agencies …`: names, options and help; the work is imported when a command is called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

from services.cli import agency_stream

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]
Office = Annotated[
    str, typer.Argument(metavar="AGENCY[/OFFICE]", help="`BKN` as a whole, or `BAWASLU/kabkota:16.07`.")
]

agencies = typer.Typer(help="The directory of agencies and offices, and their keys.")
agency_stream.attach(agencies)


@agencies.command(
    "list", epilog="Examples: `netral agencies list BAWASLU` · `netral agencies list --on 2024-08-01`"
)
def list_(
    agency: Annotated[str | None, typer.Argument(help="Only one body.")] = None,
    *,
    on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="Only what exists on that day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the offices: name, dates, duty address, channels."""
    from services.cli.directory import listing as run

    run(agency, on, as_json=as_json)


@agencies.command(epilog="Example: `netral agencies show KASN`")
def show(office: Office, as_json: AsJson = False) -> None:
    """Show one office with its whole history."""
    from services.cli.directory import show as run

    run(office, as_json=as_json)


@agencies.command(epilog="Example: `netral agencies load offices.csv --dry-run`")
def load(
    file: Annotated[str, typer.Argument(metavar="FILE.csv|-", help="A list of offices (docs/agencies.md).")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take offices from a CSV file into the running system. What the file does not name stays as it is.

    Exit code 2 names every mistake by line and column.
    """
    from services.cli.directory import load as run

    run(file, dry_run=dry_run, as_json=as_json)


@agencies.command(epilog="Example: `netral agencies retire KASN --last-day 2024-08-23 --successor BKN`")
def retire(
    office: Office,
    *,
    last_day: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it exists.")],
    successor: Annotated[str | None, typer.Option(metavar="AGENCY[/OFFICE]", help="Who takes over.")] = None,
) -> None:
    """End an office; its history stays."""
    from services.cli.directory import retire as run

    run(office, last_day, successor)


keys = typer.Typer(help="Issue, rotate, revoke and list API keys.")
Key = Annotated[str, typer.Argument(metavar="PREFIX|ID", help="As `netral agencies keys list` shows it.")]


@keys.command("list")
def list_keys(
    holder: Annotated[str | None, typer.Argument(help="Only one agency, or OPERATOR.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys by their prefix: scopes, dates, the hour of last use. No key is ever shown again."""
    from services.cli.agency_keys import listing as run

    run(holder, as_json=as_json)


@keys.command(epilog="Example: `netral agencies keys issue BAWASLU/kabkota:16.07 --scope read --scope act`")
def issue(
    holder: Office,
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, act, deliveries; manage for the operator. [default: read act]"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="Days until it expires.")] = 365,
    public_key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.pem", help="Register a public key for OAuth tokens instead (private_key_jwt)."
        ),
    ] = None,
) -> None:
    """Issue a key. It is printed once and kept nowhere; only its SHA-256 is stored."""
    from services.cli.agency_keys import issue as run

    run(holder, scope or ["read", "act"], days, public_key)


@keys.command()
def rotate(
    key: Key,
    *,
    overlap: Annotated[int, typer.Option(min=0, max=168, help="Hours the old key still opens.")] = 24,
) -> None:
    """Issue a new key for the same holder; the old one opens for the overlap."""
    from services.cli.agency_keys import rotate as run

    run(key, overlap)


@keys.command()
def revoke(key: Key) -> None:
    """End a key at once."""
    from services.cli.agency_keys import revoke as run

    run(key)


def register(app: typer.Typer) -> None:
    """Add the commands to `netral`."""
    agencies.add_typer(keys, name="keys")
    app.add_typer(agencies, name="agencies")
    agency_stream.register(app)
