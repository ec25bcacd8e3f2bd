"""What a notice is: one thing one reader is told about one step of one case, its state, and the ids derived from it."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from contracts.codes import Agency, Role
from contracts.decision import Deadline, Part
from contracts.events import Audience, NoticeOutcome, NoticeSent, NoticeSentData, NoticeStep, event_id
from contracts.ids import NETRAL, case_id_of, derived_id

_FIRST = {Audience.REPORTER: NoticeStep.RECEIVED, Audience.AGENCY: NoticeStep.OFFERED}
"""The step whose mail opens the thread of a reader in a case."""
_RANK = {Role.ACTION: 0, Role.COPY: 1, Role.INFORMATION: 2}
LIMITS = 1_000_000
"""The place of a letter about a time limit in its thread: after all that was told before."""


class State(StrEnum):
    """PENDING and UNKNOWN wait, SENDING is claimed, GATHERED shares the fate of its digest; the others are final.

    FAILED, BOUNCED and WITHHELD are a person's to look at. SKIPPED: there is nobody to write to. SUPPRESSED: the reader
    or an operator wanted no such mail.
    """

    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    GATHERED = "GATHERED"
    SENT = "SENT"
    FAILED = "FAILED"
    BOUNCED = "BOUNCED"
    WITHHELD = "WITHHELD"
    SKIPPED = "SKIPPED"
    SUPPRESSED = "SUPPRESSED"


TOLD = (State.SENT, State.FAILED, State.BOUNCED, State.WITHHELD)
"""The states that are told on the bus."""
UNTOLD = (NoticeStep.DIGEST, NoticeStep.WEBHOOK)
"""Letters about no single case: a digest is told by its parts, and a webhook is not part of any case's story."""
OPEN = (State.PENDING, State.SENDING, State.UNKNOWN, State.GATHERED)
"""The states in which somebody of ours still has to do something."""


class Duty(Part):
    """What an office has to do or may know now, on whose authority, until when."""

    role: Role
    basis: tuple[str, ...]
    deadline: Deadline | None


class Addressee(Part):
    """An office that holds the case now; `acts` tells whether it has to do something."""

    agency: Agency
    office: str | None
    acts: bool


class Item(Part):
    """One line of a digest: which case, which letter it stands for, and a last day if there is one."""

    ticket: str
    case_id: UUID
    region: str
    letter: str
    role: Role | None = None
    event: str | None = None
    last_day: date | None = None


class Facts(Part):
    """Everything a letter may say: codes, ids and dates. `received_at` is UTC; `edition` names its templates."""

    ticket: str
    region: str
    letter: str | None = None
    event: str | None = None
    edition: str = "1"
    received_at: datetime | None = None
    last_day: date | None = None
    duties: tuple[Duty, ...] = ()
    addressees: tuple[Addressee, ...] = ()
    items: tuple[Item, ...] = ()
    more: int = 0


class Notice(Part):
    notice_id: UUID
    case_id: UUID
    report_id: UUID
    step: NoticeStep
    audience: Audience
    agency: Agency | None = None
    office: str | None = None
    place: int = 0
    facts: Facts

    @property
    def letter(self) -> str:
        """The kind of letter; a notice from before letters had names is of the kind of its step."""
        return self.facts.letter or str(self.step).lower()

    @property
    def reader(self) -> str:
        """Who reads it, as one code: an office of an agency, or the reporter of one report."""
        if self.audience is Audience.REPORTER:
            return f"REPORTER/{self.report_id}"
        return f"{self.agency}/{self.office or '-'}"


def merged(known: Facts, more: Facts) -> Facts:
    """The facts of one notice, heard from two events; the order of hearing does not matter."""
    named = known if known.letter not in (None, "offered") or more.letter is None else more
    return known.model_copy(
        update={
            "letter": named.letter,
            "event": known.event or more.event,
            "duties": ordered({*known.duties, *more.duties}),
        }
    )


def ordered(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Duties in the order of a letter: what must be done first."""
    return tuple(sorted(set(duties), key=lambda duty: (_RANK[duty.role], duty.basis, str(duty.deadline))))


def notice_id(
    cause: UUID, step: NoticeStep, agency: Agency | None = None, office: str | None = None, *more: str
) -> UUID:
    """The id of what one reader is told at one step of a case.

    Its cause is the case for an agency, and for a reporter `case_id_of` the report: a case has many reporters. `more`
    is the number of the step of the case, or which time limit.
    """
    return derived_id(cause, "notice", step, agency or "-", office or "-", *more)


def digest_id(reader: str, slot: str, first: UUID) -> UUID:
    """The id of the digest that begins with the notice `first`; another digest of the same hour begins with another."""
    return derived_id(NETRAL, "digest", reader, slot, str(first))


def message_id(notice: UUID, key: bytes, domain: str) -> str:
    """The Message-ID of a notice: the same on every try, and nobody can guess one or tell a case from it."""
    mac = hmac.digest(key, f"message-id\x00{notice}".encode(), hashlib.sha256)
    return f"<{mac[:16].hex()}@{domain}>"


def thread_root(notice: Notice, key: bytes, domain: str) -> str:
    """The Message-ID of the first mail that this reader gets about this case; the digests of a reader are one thread."""
    if notice.step is NoticeStep.DIGEST:
        return message_id(derived_id(NETRAL, "digests", notice.reader), key, domain)
    cause = case_id_of(notice.report_id) if notice.audience is Audience.REPORTER else notice.case_id
    first = notice_id(cause, _FIRST[notice.audience], notice.agency, notice.office)
    return message_id(first, key, domain)


def told(notice: Notice, state: State, attempts: int, at: datetime, turn: int = 0) -> NoticeSent:
    """The event about a notice that ended in one of the states of TOLD; `turn` counts its endings from 0."""
    return NoticeSent(
        id=event_id(notice.notice_id, "sent", *([str(turn)] if turn else [])),
        source="netral/notifications",
        subject=str(notice.case_id),
        time=at,
        data=NoticeSentData(
            notice_id=notice.notice_id,
            case_id=notice.case_id,
            step=notice.step,
            audience=notice.audience,
            agency=notice.agency,
            office=notice.office,
            outcome=NoticeOutcome(state),
            attempts=attempts,
            turn=turn,
        ),
    )
