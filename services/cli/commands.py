"""The commands: names, options and help. Each imports its work when called, so start-up stays quick."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

from services.cli import agencies, calendar_commands, case_commands, keeping, matches, operating, pushing
from services.cli.errors import BAD_INPUT, Stop
from services.cli.mail_commands import register as register_mail
from services.cli.rules import register

app = typer.Typer(
    help="Netral routes reports of civil servants who break election neutrality to every competent agency.",
    epilog="Start with `netral up`, then `netral send FILE`. Each explains itself: `netral COMMAND --help`.",
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of what goes wrong.")] = False,
) -> None:
    """Route reports of civil servants who break election neutrality to every competent agency."""


@app.command(epilog="Example: `NETRAL_DATA_DIR=/srv/netral netral up`")
def up(
    agency: Annotated[
        str | None, typer.Option(help="Also start a fake agency of this code, for demos. [default: none]")
    ] = None,
) -> None:
    """Run the whole system in the foreground: broker, services, local mail. Ctrl-C stops it."""
    from services.cli.running import up as run

    raise typer.Exit(run(agency))


@app.command(epilog="Example: `netral ops --json`")
def ops(as_json: AsJson = False) -> None:
    """What is wrong now and which runbook helps; the page itself is for a browser. Exit code 1 if it cannot wait."""
    from services.cli.ops import ops as run

    run(as_json=as_json)


@app.command(epilog="Example: `netral decide report.json --handled-on 2024-10-31 --progress events.json`")
def decide(
    report: Annotated[
        str, typer.Argument(metavar="REPORT.json|-", help="One report; `-` reads standard input.")
    ],
    handled_on: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The day of handling. [default: today at the place]"),
    ] = None,
    progress: Annotated[
        str | None,
        typer.Option(
            metavar="EVENTS.json", help="Progress events; each assignment then says if it is active."
        ),
    ] = None,
) -> None:
    """Print the decision on one report as JSON. Needs no server.

    If the report is not valid: exit code 2, one line for each fault on standard error, nothing on
    standard output.
    """
    from services.cli.deciding import decide as run

    run(report, handled_on, progress)


@app.command(
    epilog="Examples: `netral send report.json` · `netral send folder/` · `netral send - < all.jsonl`"
)
def send(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|FOLDER|-",
            help="A .json file (one report or an array), a .jsonl file, or a folder of them.",
        ),
    ],
    *,
    url: Annotated[
        str | None, typer.Option(help="Address of the intake door. [default: from the settings]")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Reports on the way at once.")] = 16,
    journal: Annotated[
        str | None, typer.Option(help="Where tickets and receipts are kept. [default: beside the source]")
    ] = None,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait for a door that is away.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Submit reports. Run it again after a break: what was accepted is skipped, nothing is accepted twice.

    Exit code 0: all accepted. 2: some were refused. 1: some could not be delivered.
    """
    from services.cli.sending import send as run

    raise typer.Exit(
        run(source, url=url, concurrency=concurrency, journal=journal, patience=patience, as_json=as_json)
    )


@app.command(epilog="Example: `netral status NTR-0000-0000-0000-0000`")
def status(
    ticket: Annotated[str, typer.Argument(help="The ticket of a report.")],
    receipt: Annotated[
        str,
        typer.Option(metavar="-", help="Always `-`: asked for without echo, or read from standard input."),
    ] = "-",
    as_json: AsJson = False,
) -> None:
    """Show how far a report has come. The receipt is asked for, so it stays out of the shell's history."""
    if receipt != "-":
        raise Stop(
            "--receipt: a receipt on the command line can be seen by others; write `--receipt -`", BAD_INPUT
        )
    from services.cli.status import status as run

    run(ticket, as_json=as_json)


@app.command(epilog="Example: `netral case NTR-0000-0000-0000-0000`")
def case(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="A case id, a report id or a ticket.")],
    cursor: Annotated[str | None, typer.Option(help="More reports and e-mails of a long story.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the story of a case: who was told what, when and why; who acts later; who is not told and why."""
    from services.cli.casework import case as run

    run(case_id, cursor=cursor, as_json=as_json)


@app.command(epilog="Example: `netral inbox BAWASLU --office kabkota:52.04`")
def inbox(
    agency: Annotated[str, typer.Argument(help="BAWASLU, BKN, PPK, … as in a decision.")],
    office: Annotated[
        str | None, typer.Option(help="Only one office: pusat, prov:PP or kabkota:PP.KK.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Newest cases to show.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the inbox of an agency, newest first."""
    from services.cli.casework import inbox as run

    run(agency, office=office, limit=limit, cursor=cursor, as_json=as_json)


register(app)
register_mail(app)
for group in (operating, keeping, agencies, pushing, case_commands, calendar_commands, matches):
    group.register(app)
