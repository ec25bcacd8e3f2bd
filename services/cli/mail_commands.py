"""The names, options and help of `netral mail`. Each imports its work when called, so start-up stays quick."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

mail = typer.Typer(help="See and mend what was mailed, to which role; never an address or a text.")
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]
Notice = Annotated[str, typer.Argument(metavar="ID", help="A mail's id as `netral mail list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add `netral mail`."""
    app.add_typer(mail, name="mail")


@mail.command("list", epilog="Examples: `netral mail list --state trouble` · `netral mail list --case NTR-…`")
def mail_list(
    state: Annotated[
        str | None, typer.Option(help="One state, or `trouble`: what a person should look at.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="A case id, a report id or a ticket.")] = None,
    agency: Annotated[str | None, typer.Option(help="One agency: BAWASLU, BKN, PPK, …")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Newest mails to show.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List mails with role, state, tries and the class of the last answer, newest first."""
    from services.cli.mail import listing as run

    run(state, case, agency, limit, as_json=as_json)


@mail.command("show")
def mail_show(notice_id: Notice, as_json: AsJson = False) -> None:
    """Show what the ledger knows of one mail."""
    from services.cli.mail import show as run

    run(notice_id, as_json=as_json)


@mail.command("retry")
def mail_retry(
    notice_id: Notice,
    although_withheld: Annotated[
        bool, typer.Option("--although-withheld", help="Also to an office that a reported person may head.")
    ] = False,
) -> None:
    """Send a mail again that failed, bounced or was suppressed; it keeps its Message-ID."""
    from services.cli.mail import retry as run

    run(notice_id, although_withheld=although_withheld)


@mail.command("suppress")
def mail_suppress(notice_id: Notice) -> None:
    """Never send a mail that still waits."""
    from services.cli.mail import suppress as run

    run(notice_id)


@mail.command("resolve", epilog="Example: `netral mail resolve 0a1b2c3d arrived`")
def mail_resolve(
    notice_id: Notice,
    outcome: Annotated[str, typer.Argument(metavar="arrived|lost", help="What the mail server's log says.")],
) -> None:
    """Say what became of a mail of unknown outcome: arrived ends it, lost sends it again."""
    from services.cli.mail import resolve as run

    run(notice_id, outcome)


@mail.command("preview", epilog="Example: `netral mail preview recommended --out letters`")
def mail_preview(
    letter: Annotated[
        str | None, typer.Argument(metavar="[STEP]", help="One letter, as in the matrix. [default: all]")
    ] = None,
    out: Annotated[str, typer.Option(help="The folder to write to.")] = "letters",
) -> None:
    """Write letters with example facts as .txt, .html and .eml, to be read and looked at. Needs no server."""
    from services.cli.mail import preview as run

    run(letter, out)
