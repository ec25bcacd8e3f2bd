"""`netral webhooks …` and `netral deliveries …`: names, options and help; the work is imported when called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]
Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The id shown by `netral webhooks`.")]
Agency = Annotated[str | None, typer.Option(help="Only of this agency.")]
State = Annotated[
    str | None, typer.Option(metavar="PENDING|SENDING|DELIVERED|HELD", help="Only in this state.")
]
Instant = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="When queued, with a zone: 2026-11-24T00:00+07:00.")
]
webhooks = typer.Typer(
    help="The addresses agencies are told at, and their keys.", invoke_without_command=True
)
deliveries = typer.Typer(help="What was pushed to agencies, and what waits.", invoke_without_command=True)


@webhooks.callback()
def webhooks_by_default(context: typer.Context) -> None:
    """The addresses agencies are told at: their state, and what a human must see to."""
    if context.invoked_subcommand is None:
        webhooks_list()


@webhooks.command("list")
def webhooks_list(as_json: AsJson = False) -> None:
    """List every endpoint with its health."""
    from services.cli.endpoints import listing as run

    run(as_json=as_json)


@webhooks.command(epilog="Example: `netral webhooks add BKN https://sbt.bkn.go.id/netral`")
def add(
    agency: Annotated[str, typer.Argument(help="BAWASLU, BKN, PPK, … as in a decision.")],
    url: Annotated[str, typer.Argument(help="The https address.")],
    *,
    office: Annotated[
        str | None, typer.Option(help="Only of one office: pusat, prov:PP, kabkota:PP.KK.")
    ] = None,
    signing: Annotated[
        str, typer.Option(metavar="v1a|v1", help="v1a: ed25519; v1: a shared secret (HMAC).")
    ] = "v1a",
    as_json: AsJson = False,
) -> None:
    """Register an endpoint and show its key, this once. Nothing goes there before `netral webhooks prove`."""
    from services.cli.endpoints import add as run

    run(agency, url, office=office, signing=signing, as_json=as_json)


@webhooks.command()
def prove(endpoint: Endpoint, as_json: AsJson = False) -> None:
    """Send the challenge; whoever echoes it is sent to. Also brings back a stopped endpoint."""
    from services.cli.endpoints import act as run

    run(endpoint, "POST", "/prove", as_json=as_json)


@webhooks.command()
def move(
    endpoint: Endpoint, url: Annotated[str, typer.Argument(help="The new address.")], as_json: AsJson = False
) -> None:
    """Give an endpoint another address; it must answer the challenge first."""
    from services.cli.endpoints import act as run

    run(endpoint, "PATCH", "", body={"url": url}, as_json=as_json)


@webhooks.command()
def rotate(
    endpoint: Endpoint,
    *,
    overlap: Annotated[
        int,
        typer.Option(min=0, max=168, metavar="HOURS", help="How long both keys sign; 0 for a leaked one."),
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Draw another key and show it, this once."""
    from services.cli.endpoints import act as run

    run(endpoint, "POST", "/rotate", body={"overlap_hours": overlap}, as_json=as_json)


@webhooks.command()
def ping(endpoint: Endpoint, as_json: AsJson = False) -> None:
    """Send one test message now, and say what came of it."""
    from services.cli.endpoints import act as run

    run(endpoint, "POST", "/ping", as_json=as_json)


@webhooks.command()
def remove(endpoint: Endpoint, as_json: AsJson = False) -> None:
    """Delete an endpoint; what was queued for it stays visible as held."""
    from services.cli.endpoints import act as run

    run(endpoint, "DELETE", "", as_json=as_json)


@deliveries.callback(epilog="Example: `netral deliveries --state HELD --agency BKN`")
def deliveries_list(
    context: typer.Context,
    *,
    state: State = None,
    agency: Agency = None,
    handled: Annotated[
        str | None, typer.Option(metavar="processed|not_found|refused", help="What the receiver said.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Oldest deliveries to show.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what was pushed, in the order it was queued."""
    if context.invoked_subcommand is None:
        from services.cli.endpoints import deliveries as run

        narrowed = {"state": state, "agency": agency, "handled": handled, "cursor": cursor}
        run(narrowed, limit=limit, as_json=as_json)


@deliveries.command("show")
def show(
    delivery: Annotated[str, typer.Argument(help="The id of a delivery.")], as_json: AsJson = False
) -> None:
    """Show one delivery with every attempt."""
    from services.cli.endpoints import delivery as run

    run(delivery, as_json=as_json)


@deliveries.command("replay", epilog="Examples: `… replay ID` · `… replay --state HELD --agency BKN`")
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Deliveries.")] = None,
    *,
    state: State = None,
    agency: Agency = None,
    since: Instant = None,
    until: Instant = None,
) -> None:
    """Begin the schedule of deliveries anew, under the same ids. Receivers drop what they have."""
    from services.cli.endpoints import replay as run

    run(ids or [], state=state, agency=agency, since=since, until=until)


def register(app: typer.Typer) -> None:
    """Add the commands to `netral`."""
    app.add_typer(webhooks, name="webhooks")
    app.add_typer(deliveries, name="deliveries")
