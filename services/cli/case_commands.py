"""`netral cases`, `stats`, `step` and `succeed`: names, options and help; the work is imported when a command is called."""

# ruff: noqa: PLC0415

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for a script.")]
Said = Annotated[str | None, typer.Option(metavar="TEXT", help="Why, in your words; kept sealed.")]
Article = Annotated[str | None, typer.Option(metavar="TEXT", help="The article it rests on.")]


def cases(
    *,
    owner: Annotated[str | None, typer.Option(help="Who must act next: an agency, or OPERATOR.")] = None,
    state: Annotated[str | None, typer.Option(help="A state, for example RECOMMENDED.")] = None,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Only those without an owner: there must be none.")
    ] = False,
    over_limit: Annotated[
        bool, typer.Option("--over-limit", help="Only those with a limit that is over.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Persons on a page.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List open cases, a line for each person, the longest waiting first."""
    from services.cli.case_lists import cases as run

    narrowed = {"owner": owner, "state": state, "cursor": cursor}
    run(narrowed, orphans=orphans, over_limit=over_limit, limit=limit, as_json=as_json)


def stats(
    *,
    by: Annotated[
        str, typer.Option(metavar="A,B", help="Some of owner, state, stage, class, province.")
    ] = "owner,state",
    as_json: AsJson = False,
) -> None:
    """Count persons and cases, and show what each body holds, since when, and how much of it is over its limit."""
    from services.cli.case_lists import stats as run

    run(by, as_json=as_json)


Case = Annotated[str, typer.Argument(metavar="CASE", help="A case id, a report id or a ticket.")]
What = Annotated[
    str, typer.Argument(metavar="EVENT|MOVE", help="STUDY_CONCLUDED:BREACH, IDENTIFIED, RETURN, VOID, …")
]
By = Annotated[str, typer.Option("--by", help="Who speaks: an agency, by its key, or OPERATOR.")]
Person = Annotated[
    str | None, typer.Option(help="Only this person, as p1; of p1,p4 each by a step. [default: everybody]")
]
Result = Annotated[str | None, typer.Option(help="The result of the event.")]
On = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="The day it happened. [default: today at the place]")
]
To = Annotated[str | None, typer.Option(help="The agency a case goes to, or that is competent.")]
Office = Annotated[str | None, typer.Option(help="Its office: pusat, prov:PP or kabkota:PP.KK.")]
Number = Annotated[int | None, typer.Option("--step", min=1, help="The step that VOID takes back.")]
Status = Annotated[str | None, typer.Option(help="Of IDENTIFIED: PNS, PPPK, …")]
Nip = Annotated[
    str | None,
    typer.Option(metavar="-", help="Of IDENTIFIED: `-` asks for it, so it stays out of the history."),
]
Post = Annotated[str | None, typer.Option(help="Of IDENTIFIED: CAMAT, GURU, … or free text.")]
PostKind = Annotated[str | None, typer.Option(help="Of IDENTIFIED: STRUKTURAL, FUNGSIONAL, …")]
Employer = Annotated[
    str | None, typer.Option(metavar="KIND[:PP.KK]", help="Of IDENTIFIED: KABUPATEN:52.04, PUSAT, …")
]
Seen = Annotated[
    int | None, typer.Option(min=0, help="The step you saw last; refused if the case has moved on.")
]


def step(
    case_id: Case,
    what: What,
    *,
    by: By = "OPERATOR",
    person: Person = None,
    result: Result = None,
    on: On = None,
    to: To = None,
    office: Office = None,
    article: Article = None,
    reason: Said = None,
    number: Number = None,
    status: Status = None,
    nip: Nip = None,
    post: Post = None,
    post_kind: PostKind = None,
    employer: Employer = None,
    seen: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Say what became known about a case, or hand it on; prints who must act next and the limits that run.

    Exit code 2 with the reason and the current state if it is impossible now.
    """
    from services.cli.stepping import Words
    from services.cli.stepping import step as run

    who = (status, nip, post, post_kind, employer)
    words = Words(person, result, on, to, office, article, reason, number, *who)
    run(case_id, what, by, words, seen, as_json=as_json)


def succeed(
    *,
    old: Annotated[str, typer.Option("--from", help="The body that ended, for example KASN.")],
    new: Annotated[str, typer.Option("--to", help="The body that is competent now, for example BKN.")],
    on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day of the act.")],
    rule: Annotated[
        str | None, typer.Option(help="A source or rule of the rulebook, for example se-menpanrb-4-2024.")
    ] = None,
    article: Article = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. [default: only show what would move]")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide open cases again after the law moved a competence. A trial without `--yes`; run again it changes nothing.

    Exit code 1 if a case was refused.
    """
    from services.cli.succeeding import succeed as run

    act = {"from": old.upper(), "to": new.upper(), "on": on, "rule": rule, "article": article}
    raise typer.Exit(run(act, yes=yes, as_json=as_json))


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Examples: `netral cases --owner BKN` · `netral cases --over-limit`")(cases)
    app.command(epilog="Example: `netral stats --by owner,state`")(stats)
    app.command(
        epilog="Examples: `netral step NTR-… STUDY_CONCLUDED:BREACH --by BAWASLU` · `netral step NTR-… ASSIGN --to BKN`"
    )(step)
    app.command(
        epilog="Example: `netral succeed --from KASN --to BKN --on 2024-09-04 --rule se-menpanrb-4-2024 --yes`"
    )(succeed)
