"""Every letter with example facts, for `netral mail preview`, for people who check the wording, and for the tests."""

from datetime import UTC, date, datetime
from uuid import UUID

from contracts.codes import Agency, DeadlineUnit, Role
from contracts.decision import Deadline
from contracts.events import Audience, NoticeStep
from services.notifications.core.letters import Desk, Dispatch, letter
from services.notifications.core.matrix import Matrix
from services.notifications.core.notices import Addressee, Duty, Facts, Item, Notice

TICKET = "NTR-7K3M-9QXA-2BCD-4EFG"
CASE = UUID("03a6f23f-c356-5a2d-a15c-398fe5f00add")
WRITTEN = datetime(2026, 11, 24, 5, tzinfo=UTC)
REGION = "kemendagri:52.04"
_STEPS = {"received": NoticeStep.RECEIVED, "routed": NoticeStep.ROUTED, "offered": NoticeStep.OFFERED}
_OF_NO_CASE = ("digest", "webhook")
_TO_REPORTERS = ("received", "routed", "status", "repair")
_ACTION = Duty(
    role=Role.ACTION,
    basis=("UU 1/2015 art. 134(2)", "UU 1/2015 art. 134(4)"),
    deadline=Deadline(count=7, unit=DeadlineUnit.CALENDAR_DAY, since="KNOWN"),
)
_RECOMMENDED = Duty(
    role=Role.ACTION,
    basis=("PP 94/2021 art. 31", "SKB 22 September 2022"),
    deadline=Deadline(count=14, unit=DeadlineUnit.WORKING_DAY, since="SUPERVISOR_CONCLUDED"),
)


def examples(matrix: Matrix) -> dict[str, Notice]:
    """One notice for each kind of letter of the matrix, by its name."""
    return {name: _example(name, matrix) for name in matrix.letters}


def example_mail(notice: Notice, desk: Desk) -> bytes:
    """The whole e-mail of an example, as it would travel."""
    link = "https://netral.example.go.id/mail/unsubscribe/contoh"
    optional = notice.letter in ("status", "progress")
    ids = ("<contoh@netral.invalid>", "<contoh@netral.invalid>")
    dispatch = Dispatch("pembaca@contoh.example", *ids, WRITTEN, unsubscribe=link if optional else None)
    return letter(notice, dispatch, desk).as_bytes()


def _example(name: str, matrix: Matrix) -> Notice:
    to_reporter = name in _TO_REPORTERS
    office = (Agency.PPK, "kabkota:52.04") if name == "recommended" else (Agency.BAWASLU, "kabkota:52.04")
    return Notice(
        notice_id=CASE,
        case_id=CASE,
        report_id=CASE,
        step=_STEPS.get(name, NoticeStep.DIGEST if name == "digest" else NoticeStep.STEPPED),
        audience=Audience.REPORTER if to_reporter else Audience.AGENCY,
        agency=None if to_reporter else office[0],
        office=None if to_reporter else office[1],
        facts=_facts(name, matrix),
    )


def _facts(name: str, matrix: Matrix) -> Facts:
    event = next((row.events[0] for row in matrix.told if row.letter == name), None)
    duties = {"offered": (_ACTION,), "recommended": (_RECOMMENDED,), "silent": (_ACTION,)}
    return Facts(
        ticket="-" if name in _OF_NO_CASE else TICKET,
        region=REGION,
        letter=name,
        event=event,
        edition=matrix.edition,
        received_at=WRITTEN,
        last_day=date(2026, 12, 1) if name in ("reminder", "overdue") else None,
        duties=duties.get(name, ()),
        addressees=(
            Addressee(agency=Agency.BAWASLU, office="kabkota:52.04", acts=True),
            Addressee(agency=Agency.BKN, office="pusat", acts=False),
            Addressee(agency=Agency.KEMENDAGRI, office="pusat", acts=False),
        ),
        items=_items() if name == "digest" else (),
        more=2 if name == "digest" else 0,
    )


def _items() -> tuple[Item, ...]:
    one = Item(ticket=TICKET, case_id=CASE, region=REGION, letter="offered", role=Role.INFORMATION)
    return (
        one,
        one.model_copy(update={"letter": "progress", "event": "STUDY_CONCLUDED:BREACH", "role": None}),
        one.model_copy(update={"letter": "reminder", "role": None, "last_day": date(2026, 12, 1)}),
    )
