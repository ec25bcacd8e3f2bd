"""The letters as complete e-mails: Indonesian then English, text and HTML, without anything personal. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from typing import Any

from contracts.codes import Role
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import Duty, Facts, Item, Notice
from services.notifications.core.pens import plain
from services.notifications.core.words import (
    OFFER_SUBJECTS,
    ROLES,
    SUBJECTS,
    Both,
    day,
    limit,
    moment,
    news,
    office_of,
    place,
    trouble,
)
from services.notifications.core.writing import Written, write

_POLICY = policy.SMTP.clone(max_line_length=120)
"""With 78 a long subject starts on a second line, and readers see it begin with a blank."""
MOST_REFERENCES = 10


@dataclass(frozen=True)
class Desk:
    """Who writes, where people may answer, and where readers go: the doors for reporters and for agencies."""

    mail_from: str
    public_url: str
    agency_url: str
    reply_to: str | None = None


@dataclass(frozen=True)
class Dispatch:
    """How one notice travels. `root` opens its thread, `earlier` are the mails of it that were sent, oldest first;
    `doubtful`: an earlier try may have arrived. `unsubscribe` is the signed link of an optional letter.
    """

    to: str
    message_id: str
    root: str
    created_at: datetime
    earlier: tuple[str, ...] = ()
    doubtful: bool = False
    unsubscribe: str | None = None


def letter(notice: Notice, dispatch: Dispatch, desk: Desk) -> EmailMessage:
    """The e-mail of a notice. Raises ValueError if something in it cannot stand in a header, or TemplateError."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = desk.mail_from
    mail["To"] = dispatch.to
    if desk.reply_to:
        mail["Reply-To"] = desk.reply_to
    mail["Subject"] = subject(notice)
    mail["Date"] = dispatch.created_at
    mail["Message-ID"] = dispatch.message_id
    _thread(mail, dispatch)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Netral-Letter"] = f"{notice.facts.edition}/{notice.letter}"
    if dispatch.doubtful:
        mail["X-Netral-Possible-Duplicate"] = "yes"
    if dispatch.unsubscribe:
        mail["List-Unsubscribe"] = f"<{dispatch.unsubscribe}>"
        if dispatch.unsubscribe.startswith("https://"):  # RFC 8058 wants nothing else
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    written = body(notice, desk, dispatch.unsubscribe)
    mail.set_content(written.text, cte="7bit" if written.text.isascii() else "quoted-printable")
    mail.add_alternative(written.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(
        f"netral-{dispatch.message_id.strip('<>').partition('@')[0]}"
    )  # the same bytes on every try
    mail["Content-Language"] = "id, en"
    return mail


def subject(notice: Notice) -> str:
    """The subject: the ticket keeps a case together, the rest says what the letter asks of the reader."""
    words = hal(notice.letter, notice.facts.duties[0].role if notice.facts.duties else None)
    if notice.letter == "digest":
        return f"[Netral] {words.id} ({_count(notice.facts)}) / {words.en}"
    if notice.letter == "webhook":
        return f"[Netral] {words.id} / {words.en}"
    return f"[Netral {plain(notice.facts.ticket)}] {words.id} / {words.en}"


def hal(letter: str, role: Role | None) -> Both:
    """What a letter is about, in words without names."""
    return OFFER_SUBJECTS[role or Role.INFORMATION] if letter == "offered" else SUBJECTS[letter]


def body(notice: Notice, desk: Desk, unsubscribe: str | None = None) -> Written:
    """The words of a notice. Raises jinja2.TemplateError."""
    facts = notice.facts
    common = {
        "subject": hal(notice.letter, facts.duties[0].role if facts.duties else None),
        "ticket": plain(facts.ticket),
        "place": plain(place(facts.region)),
        "status_url": f"{desk.public_url}/v1/reports/{plain(facts.ticket)}",
        "news": news(facts.event),
        "last_day": day(facts.last_day) or Both("-", "-"),
        "unsubscribe": unsubscribe if matrix().letters[notice.letter].optional else None,
    }
    return write(
        facts.edition, notice.letter, {**common, **_OWN.get(notice.letter, _of_office)(notice, desk)}
    )


def _thread(mail: EmailMessage, dispatch: Dispatch) -> None:
    if dispatch.root == dispatch.message_id:
        return
    earlier = [sent for sent in dispatch.earlier if sent != dispatch.root]
    mail["In-Reply-To"] = earlier[-1] if earlier else dispatch.root
    mail["References"] = " ".join([dispatch.root, *earlier[1 - MOST_REFERENCES :]])


def _of_received(notice: Notice, _desk: Desk) -> dict[str, Any]:
    at = notice.facts.received_at
    return {"received": moment(at, notice.facts.region) if at else Both("-", "-")}


def _of_routed(notice: Notice, _desk: Desk) -> dict[str, Any]:
    return {"acting": _offices(notice.facts, acts=True), "informed": _offices(notice.facts, acts=False)}


def _of_status(_notice: Notice, _desk: Desk) -> dict[str, Any]:
    return {"asker": Both("instansi yang menangani", "the agency in charge")}


def _of_office(notice: Notice, desk: Desk) -> dict[str, Any]:
    if notice.agency is None:
        raise ValueError("a notice to an office needs an agency")
    return {
        "office": _plain(office_of(notice.agency, notice.office)),
        "case_id": str(notice.case_id),
        "duties": [_duty(duty) for duty in notice.facts.duties],
        "case_url": f"{desk.agency_url}/v1/agencies/{notice.agency}/cases/{notice.case_id}",
        "inbox_url": f"{desk.agency_url}/v1/agencies/{notice.agency}/inbox",
        "items": [
            _item(item, f"{desk.agency_url}/v1/agencies/{notice.agency}") for item in notice.facts.items
        ],
        "more": notice.facts.more,
    }


def _of_webhook(notice: Notice, desk: Desk) -> dict[str, Any]:
    common, since = _of_office(notice, desk), notice.facts.received_at
    return {
        **common,
        "trouble": trouble(notice.facts.event),
        "since": moment(since, notice.facts.region) if since else Both("-", "-"),
        "webhook_url": f"{desk.agency_url}/v1/agencies/{notice.agency}/webhooks/{notice.case_id}",
    }


def _item(item: Item, agency_url: str) -> dict[str, Any]:
    words = hal(item.letter, item.role)
    told = news(item.event) if item.letter in ("progress", "silent") else None
    return {
        "subject": Both(f"{words.id}: {told.id}", f"{words.en}: {told.en}") if told else words,
        "ticket": plain(item.ticket),
        "place": plain(place(item.region)),
        "last_day": day(item.last_day),
        "url": f"{agency_url}/cases/{item.case_id}",
    }


def _offices(facts: Facts, *, acts: bool) -> list[Both]:
    return [_plain(office_of(held.agency, held.office)) for held in facts.addressees if held.acts is acts]


def _duty(duty: Duty) -> dict[str, Any]:
    basis = plain("; ".join(duty.basis))
    words = Both(basis.replace(" art. ", " pasal "), basis)
    return {
        "role": ROLES[duty.role]._asdict(),
        "basis": words._asdict(),
        "limit": found._asdict() if (found := limit(duty.deadline)) else None,
    }


def _plain(words: Both) -> Both:
    return Both(plain(words.id), plain(words.en))


def _count(facts: Facts) -> int:
    return len(facts.items) + facts.more


_OWN: dict[str, Callable[[Notice, Desk], dict[str, Any]]] = {
    "received": _of_received,
    "routed": _of_routed,
    "status": _of_status,
    "repair": _of_status,
    "webhook": _of_webhook,
}
