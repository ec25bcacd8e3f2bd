"""Commands that keep a system alive: broker configuration, backup, restore, rebuild. Their work is imported when called."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import BAD_INPUT, Stop

Keys = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the secrets go to or come from; apart from the backup."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Examples: `netral rebuild --check` · `netral rebuild --replace`")(rebuild)
    app.command(
        epilog="Example: `netral backup /backup/2024-11-27 --keys /safe/keys`. It may run while everything works."
    )(backup)
    app.command(
        epilog="Example: `NETRAL_DATA_DIR=/srv/netral netral restore /backup/2024-11-27 --keys /safe/keys`"
    )(restore)
    app.command(epilog="Run again it changes nothing. Which alert asks for it: docs/runbooks/StreamLost.md")(
        mend
    )
    app.command(epilog="While intake stands still. Interrupted anywhere it is run again.")(rekey)
    app.command(epilog="Example: `netral erase NTR-7K3M-9QXA-2BCD-4EFG --part reporter`")(erase)
    app.command(
        "broker-config",
        epilog="Example: `netral broker-config --node n1 --route nats://n2:6222 --route nats://n3:6222`",
    )(broker_config)


def rebuild(
    *,
    check: Annotated[bool, typer.Option("--check", help="Only compare, never ask.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take over what differs without asking.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for a script; never asks.")] = False,
) -> None:
    """Build the case views anew from the streams while everything runs, and compare them with those in use.

    Exit code 1 if they differ and stay so. Interrupting it is harmless.
    """
    from services.cli.rebuilding import rebuild as run

    if check and replace:
        raise Stop("rebuild: --check changes nothing, --replace does; give one of them", BAD_INPUT)
    run(check=check, replace=replace, as_json=as_json)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that does not exist yet.")],
    keys: Keys = None,
) -> None:
    """Copy streams and databases while the system runs; the secrets only with --keys, elsewhere."""
    from services.cli.backup import backup as run

    run(folder, keys)


def restore(
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="A backup.")] = None,
    keys: Keys = None,
    *,
    elsewhere: Annotated[
        bool,
        typer.Option("--broker-elsewhere", help="The broker runs already (NETRAL_NATS_URL) and is empty."),
    ] = False,
    keep_vault: Annotated[
        bool,
        typer.Option(help="Only the broker was lost: the vault and the ledger that are here stay."),
    ] = False,
) -> None:
    """Make a system of a backup, in an empty data folder, while nothing runs there.

    With `--keep-vault` also without a backup: every report that was accepted is told to the empty broker again.
    """
    from services.cli.restore import restore as run

    run(folder, keys, elsewhere=elsewhere, keep_vault=keep_vault)


def mend(
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where records stay lost: let the views forget them too.")
    ] = False,
) -> None:
    """Put back into the streams what they lost and a database still knows, while everything runs; then rebuild the views.

    Run it where `netral verify` runs. Nothing that stands is changed, nobody is told or mailed anything twice.
    """
    from services.cli.mending import mend as run

    run(replace=replace)


def rekey() -> None:
    """Give the vault another key: what sealed the reports is wrapped anew, the reports stay as they are.

    Intake must not run meanwhile. Needed when vault.key may have been seen by others, or when your rules ask for it.
    """
    from services.cli.rekeying import rekey as run

    run()


def erase(
    ticket: Annotated[str, typer.Argument(metavar="TICKET")],
    *,
    part: Annotated[str, typer.Option(metavar="reporter|dossier", help="What of the report.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
) -> None:
    """Erase who reported something, or the report itself, for ever, because a person or the law asks for it.

    The case, its course and its decision stay: they name nobody. Everything may run meanwhile.
    """
    from services.cli.erasing import erase as run

    run(ticket, part, yes=yes)


def broker_config(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "0.0.0.0:4222",
    monitor: Annotated[str, typer.Option(metavar="HOST:PORT")] = "0.0.0.0:8222",
    node: Annotated[str | None, typer.Option(help="The server's own name in a cluster.")] = None,
    cluster_listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "0.0.0.0:6222",
    route: Annotated[list[str] | None, typer.Option(help="Where the other servers are; repeat it.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(metavar="FILE")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE")] = None,
    *,
    new_secrets: Annotated[bool, typer.Option(help="Draw the secrets that are missing.")] = False,
) -> None:
    """Write nats/nats.conf for a server of its own (container, cluster) from the accounts and permissions of Netral."""
    from services.cli.broker_config import write

    if (tls_certificate is None) != (tls_key is None):
        raise Stop("broker-config: --tls-certificate and --tls-key belong together", BAD_INPUT)
    tls = (tls_certificate, tls_key) if tls_certificate and tls_key else None
    print(write(listen, monitor, node, cluster_listen, route or [], tls, new_secrets=new_secrets))
