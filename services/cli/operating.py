"""Commands for the one who keeps a system running: what is parked, set, ill, promised, provisioned, installed."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

from services.cli.errors import BAD_INPUT, Stop

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]

parked = typer.Typer(
    help="List and replay the messages that no service could handle.", invoke_without_command=True
)


@parked.callback()
def parked_by_default(context: typer.Context) -> None:
    """List and replay the messages that no service could handle (dead letters)."""
    if context.invoked_subcommand is None:
        parked_list()


@parked.command("list")
def parked_list(as_json: AsJson = False) -> None:
    """List the parked messages with their reasons."""
    from services.cli.parked import listing as run

    run(as_json=as_json)


@parked.command("replay", epilog="Examples: `netral parked replay 12` · `netral parked replay --all`")
def parked_replay(
    seq: Annotated[int | None, typer.Argument(help="The number shown by `netral parked`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay every parked message.")] = False,
) -> None:
    """Give parked messages back to the service that could not handle them."""
    if (seq is None) != everything:
        raise Stop("parked replay: name one message by its number, or all of them with --all", BAD_INPUT)
    from services.cli.parked import replay as run

    run(seq)


@parked.command("drop")
def parked_drop(
    seq: Annotated[int, typer.Argument(help="The number shown by `netral parked`.")],
) -> None:
    """Take one out that can never be handled, once you know why; what it is a copy of stays in its stream."""
    from services.cli.parked import drop as run

    run(seq)


def settings(as_json: AsJson = False) -> None:
    """List every setting: its value, where the value comes from, and what it means. Secrets are masked."""
    from services.cli.settings_list import settings as run

    run(as_json=as_json)


def doctor(as_json: AsJson = False) -> None:
    """Check installation, data, broker, streams, services and mail, and say the cure.

    Exit code 1 if a check fails.
    """
    from services.cli.doctor import doctor as run

    raise typer.Exit(run(as_json=as_json))


def verify(
    most: Annotated[int, typer.Option(min=1, help="Findings to print.")] = 200,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for work under way.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Read all streams and databases and prove what Netral promises, by a checker of its own; changes nothing.

    Exit code 1 if anything is not as promised, with one sentence for each finding.
    """
    from services.cli.verify.command import run

    raise typer.Exit(run(as_json=as_json, most=most, patience=patience))


def provision() -> None:
    """Create or update streams and consumers as the topology table says; report what still differs."""
    from services.cli.running import provision as run

    raise typer.Exit(run())


def version(
    full: Annotated[
        bool, typer.Option("--full", help="Also of libraries, broker, rulebook and lock.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    if full:
        from services.cli.versions import full as run

        run(as_json=as_json)
        return

    print(f"netral {installed('netral')}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(parked, name="parked")
    for command in (settings, doctor, verify, provision, version):
        app.command()(command)
