"""`netral mail`: the ledger of e-mails seen and mended by an operator. It shows roles and states, never an address."""

import asyncio
import email
from collections.abc import Awaitable, Callable, Sequence
from email import policy
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from contracts.directory import Directory
from services.cli.console import complain, printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.web import settings_of
from services.notifications import desk
from services.notifications.commits import LedgerAway
from services.notifications.core.letters import Desk
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import State
from services.notifications.ledger import Ledger
from services.notifications.opening import open_ledger
from services.notifications.preview import example_mail, examples
from services.notifications.settings import NotificationsSettings
from services.runtime.clock import now

T = TypeVar("T")
_SHOWN = (
    "notice_id",
    "case_id",
    "step",
    "audience",
    "agency",
    "office",
    "state",
    "attempts",
    "doubts",
    "last_answer_class",
    "message_id",
    "created_at",
    "next_attempt_at",
    "ended_at",
    "gathered_in",
    "turn",
)


def listing(state: str | None, case: str | None, agency: str | None, limit: int, *, as_json: bool) -> None:
    """Show the newest mails. Raises Stop."""
    states = _states(state)
    rows = _with_ledger(
        lambda ledger: desk.listing(ledger, states=states, case=case, agency=agency, limit=limit)
    )
    if as_json:
        write_json([_document(row) for row in rows])
    elif not rows:
        tables().print("No mail is like that.")
    else:
        tables().print(_table(rows))


def show(notice_id: str, *, as_json: bool) -> None:
    """Show one mail. Raises Stop."""
    row = _document(_with_ledger(lambda ledger: desk.one(ledger, notice_id)))
    if as_json:
        write_json(row)
        return
    for name, value in row.items():
        if value is not None:
            tables().print(printable(f"{name:18} {value}"), markup=False)


def retry(notice_id: str, *, although_withheld: bool) -> None:
    """Send one mail again. Raises Stop."""
    _say(
        _with_ledger(lambda ledger: desk.retry(ledger, notice_id, now(), although_withheld=although_withheld))
    )


def suppress(notice_id: str) -> None:
    """Never send a mail that waits. Raises Stop."""
    _say(_with_ledger(lambda ledger: desk.suppress(ledger, notice_id, now())))


def resolve(notice_id: str, outcome: str) -> None:
    """Say what became of a mail of unknown outcome. Raises Stop."""
    try:
        found = desk.Outcome(outcome)
    except ValueError:
        raise Stop(f"mail resolve: {outcome!r} is not known; write arrived or lost", BAD_INPUT) from None
    _say(_with_ledger(lambda ledger: desk.resolve(ledger, notice_id, found, now())))


def preview(letter: str | None, folder: str) -> None:
    """Write letters with example facts as .txt, .html and .eml. Raises Stop."""
    settings = settings_of(NotificationsSettings)
    known = examples(matrix())
    if letter is not None and letter.lower() not in known:
        raise Stop(f"mail preview: {letter!r} is no letter; write one of {', '.join(known)}", BAD_INPUT)
    desk_ = Desk(settings.mail_from, settings.public_address, settings.agency_address, settings.reply_to)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in [letter.lower()] if letter else list(known):
        raw = example_mail(known[name], desk_)
        mail = email.message_from_bytes(raw, policy=policy.default)
        (target / f"{name}.eml").write_bytes(raw)
        for kind, suffix in (("plain", "txt"), ("html", "html")):
            part = mail.get_body((kind,))
            if part is not None:
                (target / f"{name}.{suffix}").write_text(part.get_content(), encoding="utf-8")
        tables().print(f"{target / name}.html", markup=False)


def _states(state: str | None) -> Sequence[State]:
    if state is None:
        return ()
    if state.lower() == "trouble":
        return desk.TROUBLED
    try:
        return (State(state.upper()),)
    except ValueError:
        cure = f"write trouble or one of {', '.join(State)}"
        raise Stop(f"mail list: {state!r} is no state; {cure}", BAD_INPUT) from None


def _with_ledger(do: Callable[[Ledger], Awaitable[T]]) -> T:
    settings = settings_of(NotificationsSettings)
    if not settings.ledger_url and not (settings.data_dir / "notifications.db").is_file():
        raise Stop(f"{settings.data_dir}: holds no ledger of mails yet; start `netral up` once", BAD_INPUT)

    async def work() -> T:
        ledger = open_ledger(settings, b"", Directory(), matrix())
        try:
            await ledger.start()
            return await do(ledger)
        finally:
            await ledger.close()

    try:
        return asyncio.run(work())
    except desk.Refused as problem:
        raise Stop(f"mail: {problem}", BAD_INPUT) from None
    except LedgerAway as problem:
        raise Stop(f"mail: the ledger does not answer ({problem}); try again") from None


def _say(state: State) -> None:
    complain(f"It is {state} now.")


def _document(row: Any) -> dict[str, Any]:
    found = {name: row[name] for name in _SHOWN}
    found = {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()
    }
    facts = row["facts"]
    return {**found, "ticket": facts["ticket"], "letter": facts.get("letter") or row["step"].lower()}


def _table(rows: Sequence[Any]) -> Table:
    table = Table("Mail", "Ticket", "Letter", "Role", "State", "Tries", "Answer", "Since")
    for row in map(_document, rows):
        role = f"{row['agency'] or row['audience']} {row['office'] or ''}".strip()
        cells = (
            row["notice_id"][:8],
            row["ticket"],
            row["letter"],
            role,
            row["state"] + ("?" if row["doubts"] else ""),
            row["attempts"],
            row["last_answer_class"] or "-",
            row["created_at"][:16],
        )
        table.add_row(*(Text(printable(str(cell)), overflow="fold") for cell in cells))
    return table
