"""`netral rules …` and `netral explain`: names, options and help; the work is imported when a command is called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

Language = Annotated[
    str | None, typer.Option(metavar="id|en", help="One language. [default: Indonesian and English]")
]
Folder = Annotated[
    str | None, typer.Argument(metavar="[FOLDER]", help="A rulebook folder. [default: the packaged one]")
]

rules = typer.Typer(help="Check, prove, show and compare the rulebook: the law as data.")


@rules.command(epilog="Example: `netral rules check my-rulebook/`")
def check(folder: Folder = None) -> None:
    """Read a rulebook and say every mistake as file:line:column. Exit code 2 if there is one."""
    from services.cli.rulebooks import check as run

    run(folder)


@rules.command(
    epilog="Examples: `netral rules show --on 2024-10-31` · `netral rules show --format csv > rules.csv`"
)
def show(
    folder: Folder = None,
    *,
    on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="Only what is in force on that day.")
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="md|csv", help="Markdown or CSV.")] = "md",
    language: Language = None,
) -> None:
    """Print the tables a lawyer signs, and one sentence for each version of each rule."""
    from services.cli.rulebooks import show as run

    run(folder, on, form, language)


@rules.command(epilog="Example: `netral rules diff old-rulebook/ new-rulebook/`")
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="The folder of the older rulebook.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The folder of the newer rulebook.")],
) -> None:
    """Print which boxes of facts and days change their outcome, and so patch, minor or major.

    patch: nothing changes. minor: only from today on. major: also for days that have passed.
    """
    from services.cli.rulebooks import diff as run

    run(old, new)


@rules.command(epilog="Example: `netral rules prove my-rulebook/`")
def prove(folder: Folder = None) -> None:
    """Prove the guarantees for every admissible combination of facts and days. Exit code 1 if one fails."""
    from services.cli.rulebooks import prove as run

    raise typer.Exit(run(folder))


def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="CASE|REPORT.json|-", help="A ticket, case or report id, or a report to read."
        ),
    ],
    *,
    handled_on: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The day of handling. [default: today at the place]"),
    ] = None,
    progress: Annotated[
        str | None, typer.Option(metavar="EVENTS.json", help="Progress events, as for `netral decide`.")
    ] = None,
) -> None:
    """Say in sentences who is told what and why, and what stood in the way of every other agency.

    A case is asked from the running system; a report needs no server.
    """
    from services.cli.explaining import explain as run

    run(subject, handled_on, progress)


@rules.command(
    epilog="Examples: `netral rules replay` · `netral rules replay new-rulebook/` · `netral rules replay --as-if 2027-10-16`"
)
def replay(
    folder: Folder = None,
    *,
    as_if: Annotated[
        str | None,
        typer.Option("--as-if", metavar="YYYY-MM-DD", help="As if handled on that day, where it is later."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Decide the stored cases again: reproduce them, under another rulebook, or as if handled later."""
    from services.cli.replaying import run

    run(folder, as_if, as_json=as_json)


@rules.command(epilog="Example: `netral rules load new-rulebook/`")
def load(
    folder: Folder = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Make a rulebook the law of the running system, at once and without a restart.

    Refused unless `check` and `prove` pass. The change is an event with a number; load the older folder to go back.
    """
    from services.cli.rulebooks import load as run

    run(folder, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the `rules` group and `explain` to the command line."""
    app.add_typer(rules, name="rules")
    app.command(
        epilog="Examples: `netral explain report.json --handled-on 2024-10-31` · `netral explain NTR-0000-0000-0000-0000`"
    )(explain)
