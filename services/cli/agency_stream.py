"""`netral agencies credentials …` and `netral agencies replay`: names, options and help."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]
Body = Annotated[
    str, typer.Argument(metavar="AGENCY[/OFFICE]", help="`BKN` as a whole, or `BAWASLU/kabkota:16.07`.")
]

credentials = typer.Typer(help="The identities by which agencies read their own event stream.")


@credentials.command(epilog="Example: `netral agencies credentials issue BAWASLU/kabkota:16.07`")
def issue(body: Body, as_json: AsJson = False) -> None:
    """Give an agency or an office a key to its event stream. The seed is shown once and kept nowhere."""
    from services.cli.credentials import issue as run

    run(body, as_json=as_json)


@credentials.command(epilog="Example: `netral agencies credentials rotate BKN`, later `… revoke U…`")
def rotate(
    body: Body,
    now: Annotated[bool, typer.Option("--now", help="The keys from before are worthless at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Issue another key. The one from before stays good until it is revoked, so nothing stands still."""
    from services.cli.credentials import rotate as run

    run(body, now=now, as_json=as_json)


@credentials.command(epilog="Example: `netral agencies credentials revoke UAB3…`")
def revoke(
    public: Annotated[str, typer.Argument(metavar="U…", help="The public key, as `list` shows it.")],
) -> None:
    """Make a key worthless at once; its open connections end. The place in the stream is kept."""
    from services.cli.credentials import revoke as run

    run(public)


@credentials.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every key ever issued: whose, since when, whether revoked, and how many events wait for it."""
    from services.cli.credentials import listing as run

    run(as_json=as_json)


def replay(
    body: Body,
    *,
    sequence: Annotated[int | None, typer.Option(min=1, help="From this place of the stream on.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="From then on, as 2026-11-01T00:00:00+07:00.")
    ] = None,
) -> None:
    """Give an agency its events again, from a place or an instant on. Ids stay the same."""
    from services.cli.credentials import replay as run

    run(body, sequence, since)


def conform(
    url: Annotated[str, typer.Argument(metavar="URL", help="The address that receives webhooks.")],
    key_file: Annotated[
        str,
        typer.Option("--key-file", metavar="FILE", help="whsk_… or whsec_…; made if it is not there."),
    ] = "netral-conform.key",
    as_json: AsJson = False,
) -> None:
    """Try a receiver of webhooks and say what its makers must mend. Needs no running Netral.

    Signatures right, wrong, stale and broken; events duplicated, reordered, at once, slow, large, with unknown fields.
    Exit code 1 if a check fails.
    """
    from services.cli.conforming.running import conform as run

    raise typer.Exit(run(url, key_file, as_json=as_json))


def attach(agencies: typer.Typer) -> None:
    """Add the commands to `netral agencies`."""
    agencies.add_typer(credentials, name="credentials")
    agencies.command(
        epilog="Examples: `netral agencies replay BKN --sequence 1` · `… --since 2026-11-01T00:00:00+07:00`"
    )(replay)


def register(app: typer.Typer) -> None:
    """Add the command that stands alone."""
    app.command(epilog="Example: `netral conform https://sbt.example.go.id/netral`")(conform)
