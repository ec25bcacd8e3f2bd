"""The letters: plain text, Indonesian then English, without anything personal, as complete e-mails."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from contracts.events import NoticeStep
from services.notifications.core.notices import Duty, Facts, Notice
from services.notifications.core.words import OFFER_SUBJECTS, ROLES, Both, limit, moment, office_of, place

_POLICY = policy.SMTP.clone(max_line_length=120)
"""With 78 a long subject starts on a second line, and readers see it begin with a blank."""
_WIDTH = 72
_LABEL = 18


@dataclass(frozen=True)
class Desk:
    """Who writes, and where readers go: addresses of the door for reporters and of the one for agencies."""

    mail_from: str
    public_url: str
    agency_url: str


@dataclass(frozen=True)
class Dispatch:
    """How one notice travels. `root` opens its thread; `doubtful`: an earlier try may have arrived."""

    to: str
    message_id: str
    root: str
    created_at: datetime
    doubtful: bool = False


def letter(notice: Notice, dispatch: Dispatch, desk: Desk) -> EmailMessage:
    """The e-mail of a notice. Raises ValueError if something in it cannot stand in a header."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = desk.mail_from
    mail["To"] = dispatch.to
    mail["Subject"] = subject(notice)
    mail["Date"] = dispatch.created_at
    mail["Message-ID"] = dispatch.message_id
    if dispatch.root != dispatch.message_id:
        mail["In-Reply-To"] = dispatch.root
        mail["References"] = dispatch.root
    mail["Auto-Submitted"] = "auto-generated"
    if dispatch.doubtful:
        mail["X-Netral-Possible-Duplicate"] = "yes"
    text = body(notice, desk)
    mail.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    mail["Content-Language"] = "id, en"
    return mail


def subject(notice: Notice) -> str:
    """The subject: the ticket keeps a case together, the rest says what the step asks of the reader."""
    match notice.step:
        case NoticeStep.RECEIVED:
            words = Both("Laporan diterima", "Report received")
        case NoticeStep.ROUTED:
            words = Both("Laporan diteruskan", "Report passed on")
        case NoticeStep.OFFERED:
            words = OFFER_SUBJECTS[notice.facts.duties[0].role]
    return f"[Netral {notice.facts.ticket}] {words.id} / {words.en}"


def body(notice: Notice, desk: Desk) -> str:
    """The text of a notice."""
    facts = notice.facts
    common = {
        "ticket": facts.ticket,
        "place": place(facts.region),
        "status_url": f"{desk.public_url}/v1/reports/{facts.ticket}",
    }
    template = _TEMPLATES.get_template(f"{notice.step.lower()}.txt")
    return template.render({**common, **_OWN[notice.step](notice, desk)})


def _of_received(notice: Notice, _desk: Desk) -> dict[str, Any]:
    at = notice.facts.received_at
    return {"received": moment(at, notice.facts.region) if at else Both("-", "-")}


def _of_routed(notice: Notice, _desk: Desk) -> dict[str, Any]:
    return {"acting": _offices(notice.facts, acts=True), "informed": _offices(notice.facts, acts=False)}


def _of_offered(notice: Notice, desk: Desk) -> dict[str, Any]:
    if notice.agency is None:
        raise ValueError("a notice of an offer needs an agency")
    return {
        "office": office_of(notice.agency, notice.office),
        "case_id": str(notice.case_id),
        "duties": [_duty(duty) for duty in notice.facts.duties],
        "case_url": f"{desk.agency_url}/v1/agencies/{notice.agency}/cases/{notice.case_id}",
    }


def _offices(facts: Facts, *, acts: bool) -> list[Both]:
    return [office_of(held.agency, held.office) for held in facts.addressees if held.acts is acts]


def _duty(duty: Duty) -> dict[str, Both | None]:
    basis = "; ".join(duty.basis)
    return {
        "role": ROLES[duty.role],
        "basis": Both(basis.replace(" art. ", " pasal "), basis),
        "limit": limit(duty.deadline),
    }


def _fill(text: str) -> str:
    """A paragraph, its lines broken at words."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _item(text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False
    )


def _entry(label: str, text: str) -> str:
    indent = " " * (_LABEL + 1)
    first = f"     {label:<{_LABEL - 6}}: "
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


_OWN: dict[NoticeStep, Callable[[Notice, Desk], dict[str, Any]]] = {
    NoticeStep.RECEIVED: _of_received,
    NoticeStep.ROUTED: _of_routed,
    NoticeStep.OFFERED: _of_offered,
}
_TEMPLATES = Environment(  # noqa: S701 - plain text: there is nothing to escape
    loader=PackageLoader("services.notifications"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)
_TEMPLATES.globals.update(fill=_fill, item=_item, entry=_entry)
