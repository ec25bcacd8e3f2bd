"""What every rulebook must guarantee, and which combinations of facts cannot occur: data, with a reason for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.codes import ASN_STATUSES, OPENED, Agency, Role, Stage, Status
from services.routing.core.rules import Version
from services.routing.core.situation import KASN_ENDS
from services.routing.core.vocabulary import FACTS

FIRST_DAY, LAST_DAY = date(2017, 8, 16), date(2028, 1, 1)
"""The days the proof covers on both clocks, both included: from UU 7/2017 to past the body ordered by MK 121."""


@dataclass(frozen=True)
class Where:
    """A part of all situations: accepted values per fact, and days of handling from `since` to before `until`."""

    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Constraint:
    """A combination that no report can produce; each one shrinks what is proved, so each says why it is true."""

    id: str
    excludes: Where
    reason: str
    source: str


@dataclass(frozen=True)
class Guarantee:
    """How many parts of a kind a situation may have. A part is an agency's office with a role at a moment.

    Where a part is forbidden (`at_most` 0), one that only a person may give (`manual`) counts too; where one is owed,
    it does not. `reviews` lets a question to a person stand for a part.
    """

    id: str
    says: str
    when: Where
    source: str
    agencies: frozenset[Agency] = frozenset(Agency)
    roles: frozenset[Role] = frozenset({Role.ACTION})
    moments: frozenset[str] | None = None
    reviews: bool = False
    at_least: int = 0
    at_most: int | None = None

    def parts(self, version: Version) -> frozenset[str]:
        """The parts of a version that this guarantee counts."""
        found = {
            f"{a.agency} {a.role} {a.when} ({a.office})"
            for a in version.assigns
            if a.agency in self.agencies
            and a.role in self.roles
            and (self.moments is None or a.when in self.moments)
            and (self.at_most == 0 or not a.manual)
        }
        return frozenset(found | ({"a review question"} if self.reviews and version.review else set()))


def _of(**given: set[str] | frozenset[str]) -> dict[str, frozenset[str]]:
    return {fact: frozenset(map(str, values)) for fact, values in given.items()}


def _but(fact: str, *values: str) -> frozenset[str]:
    return frozenset(map(str, FACTS[fact])) - set(values)


_ASN = frozenset(map(str, ASN_STATUSES))
_SUPERVISORS = frozenset({Agency.KASN, Agency.BKN, Agency.KEMENPANRB})
_TAKING_UP = frozenset({"STUDY_CONCLUDED:BREACH", "IDENTIFIED"})
_TAKING_OVER = _TAKING_UP | {"SUPERVISOR_CONCLUDED:RECOMMENDED"}
_PROCESSED = "PROCESSED_BY_KASN"

GUARANTEES: tuple[Guarantee, ...] = (
    Guarantee(
        id="somebody-acts",
        says="At the opening at least one agency acts, or a person is asked",
        when=Where(),
        source="R01-R06; contract.md: a report is never refused",
        moments=frozenset({OPENED}),
        reviews=True,
        at_least=1,
    ),
    Guarantee(
        id="front-door-open",
        says="Bawaslu or SP4N-LAPOR! acts from the opening, whatever questions remain",
        when=Where(),
        source="R01-R03, R06",
        agencies=frozenset({Agency.BAWASLU, Agency.SP4N_LAPOR}),
        moments=frozenset({OPENED}),
        at_least=1,
    ),
    Guarantee(
        id="one-supervisor",
        says="A civil servant has exactly one supervisor who takes up the case",
        when=Where(_of(status=_ASN, file=_but("file", _PROCESSED))),
        source="R10-R12, R14, R15, R28; SE MenPANRB 4/2024",
        agencies=_SUPERVISORS,
        moments=_TAKING_UP,
        at_least=1,
        at_most=1,
    ),
    Guarantee(
        id="one-supervisor-of-processed-files",
        says="A file KASN had processed has exactly one supervisor, KemenPANRB after the recommendation included",
        when=Where(_of(status=_ASN, file={_PROCESSED})),
        source="R13; SE MenPANRB 4/2024",
        agencies=_SUPERVISORS,
        moments=_TAKING_OVER,
        at_least=1,
        at_most=1,
    ),
    Guarantee(
        id="no-supervisor-for-others",
        says="Nobody but a civil servant has a supervisor",
        when=Where(_of(status=_but("status", *_ASN))),
        source="R16-R20, R22; UU 20/2023",
        agencies=_SUPERVISORS,
        moments=_TAKING_OVER,
        at_most=0,
    ),
    Guarantee(
        id="no-ppk-for-others",
        says="No PPK has any part in the case of one who is not a civil servant",
        when=Where(_of(status=_but("status", *_ASN))),
        source="R16-R20, R22; PP 94/2021",
        agencies=frozenset({Agency.PPK}),
        roles=frozenset(Role),
        at_most=0,
    ),
    Guarantee(
        id="nobody-punishes-himself",
        says="A head of region, elected or acting, is never punished by the PPK he is himself",
        when=Where(_of(status={Status.KEPALA_DAERAH, Status.PJ_KEPALA_DAERAH})),
        source="R21, R41",
        agencies=frozenset({Agency.PPK}),
        at_most=0,
    ),
    Guarantee(
        id="no-crime-before-designation",
        says="Gakkumdu has no case before the designation of candidates or outside every election",
        when=Where(_of(stage={Stage.BEFORE_DESIGNATION, Stage.OUTSIDE})),
        source="R32; UU 1/2015 art. 71(1), 188; UU 7/2017 art. 490",
        agencies=frozenset({Agency.GAKKUMDU}),
        at_most=0,
    ),
    Guarantee(
        id="kasn-has-ended",
        says="KASN has no part in any case handled since 24 August 2024",
        when=Where(since=date(2024, 8, 24)),
        source="Perpres 92/2024",
        agencies=frozenset({Agency.KASN}),
        roles=frozenset(Role),
        at_most=0,
    ),
)

CONSTRAINTS: tuple[Constraint, ...] = (
    Constraint(
        id="file-only-after-kasn",
        excludes=Where(_of(file=_but("file", "NONE")), until=KASN_ENDS),
        reason="A file is left behind by KASN only once KASN has ended; until then it has none of the other states",
        source="R13; Perpres 92/2024; situation.file_of",
    ),
    Constraint(
        id="number-verifies",
        excludes=Where(_of(numbered={"YES"}, identity={"DOUBTFUL"})),
        reason="Who is named with a NIP counts as identified",
        source="R28; docs/decisions/0004; situation._shared",
    ),
    Constraint(
        id="office-of-receipt-untold",
        excludes=Where(_of(received_by=_but("received_by", "UNKNOWN"))),
        reason="A report has no field for the office that received it, so R09 waits",
        source="R09; docs/decisions/0004; contract.md, report",
    ),
    Constraint(
        id="home-of-regency-staff-only",
        excludes=Where(
            _of(employer=_but("employer", "KABUPATEN", "KOTA", "DESA"), home=_but("home", "UNKNOWN"))
        ),
        reason="Only a regency, city or village has one home regency to compare with the place",
        source="R07; situation._home",
    ),
    Constraint(
        id="president-is-national",
        excludes=Where(_of(election_office={"PRESIDEN"}, national={"NO"})),
        reason="An act in a presidential election is an event of national scale",
        source="R18; docs/decisions/0004; situation._national",
    ),
    Constraint(
        id="no-rotation-window-outside",
        excludes=Where(_of(stage={Stage.OUTSIDE}, rotation_window={"IN"})),
        reason="The window is counted from the designation in a calendar; outside every calendar there is none",
        source="R35; UU 10/2016 art. 71(2); stages.stage_of",
    ),
)
