"""What of a report may travel on the bus: codes and dates, nobody's name, number or words."""

from datetime import date

from contracts.codes import (
    Act,
    Beneficiary,
    Channel,
    ElectionKind,
    ElectionOffice,
    EmployerKind,
    Post,
    PostKind,
    ReporterKind,
    Status,
)
from contracts.decision import Part
from contracts.report import Person, Report

_ACTING = {"PLT", "PLH", "PJ", "PJS", "PELAKSANA TUGAS", "PELAKSANA HARIAN", "PENJABAT"}
_LONG_FORMS = {
    "SEKRETARIS DAERAH": Post.SEKDA,
    "KEPALA BADAN": Post.KEPALA_DINAS,
    "KEPSEK": Post.KEPALA_SEKOLAH,
}
_HEADS_OF_AGENCIES = (
    "MENTERI ",
    "GUBERNUR ",
    "BUPATI ",
    "WALI KOTA ",
    "WALIKOTA ",
    "KEPALA LEMBAGA ",
    "KEPALA BADAN ",
)
_POSTS = _LONG_FORMS | {p.value.replace("_", " "): p for p in Post if p not in (Post.OTHER, Post.UNKNOWN)}


class PersonFacts(Part):
    """One reported person as `p1`, `p2`, …; `numbered` tells whether a NIP or NI PPPK was given.

    `heads` tells whether the post as written may be that of the PPK itself (of a *badan* at the centre only).
    """

    ref: str
    status: Status
    post: Post = Post.UNKNOWN
    post_kind: PostKind = PostKind.UNKNOWN
    employer: EmployerKind = EmployerKind.UNKNOWN
    employer_region: str | None = None
    numbered: bool = False
    heads: bool = False


class ActFacts(Part):
    person: str
    code: Act
    beneficiary: Beneficiary = Beneficiary.UNKNOWN


class ReportFacts(Part):
    """The whole report without personal data; days are local to the place of the event."""

    election: ElectionKind
    election_year: int
    election_office: ElectionOffice | None = None
    psu: bool = False
    occurred_on: date
    known_on: date
    reported_on: date
    region: str
    online: bool = False
    regions_touched: tuple[str, ...] = ()
    reporter: ReporterKind
    reporter_named: bool = False
    reporter_addressed: bool = False
    evidence: int = 0
    channel: Channel | None = None
    persons: tuple[PersonFacts, ...]
    acts: tuple[ActFacts, ...]


def facts_of(report: Report, received_on: date, *, keep_refs: bool = False) -> ReportFacts:
    """The facts of a report received on `received_on`.

    Persons become `p1`, `p2`, … in their order, because a reporter may write a name as `ref`; `keep_refs` keeps the
    reporter's own, for an answer that goes back to the one who wrote them.
    """
    refs = {p.ref: p.ref if keep_refs else f"p{n}" for n, p in enumerate(report.persons, 1)}
    incident, election, reporter = report.incident, report.election, report.reporter
    return ReportFacts(
        election=election.kind,
        election_year=election.year,
        election_office=election.office,
        psu=bool(election.psu),
        occurred_on=incident.occurred_on,
        known_on=incident.known_on,
        reported_on=report.reported_on or received_on,
        region=incident.region,
        online=bool(incident.online),
        regions_touched=incident.regions_touched or (),
        reporter=reporter.kind,
        reporter_named=bool((reporter.name or "").strip()),
        reporter_addressed=bool((reporter.address or "").strip()),
        evidence=len(report.evidence or ()),
        channel=report.source.channel if report.source else None,
        persons=tuple(_person(person, refs[person.ref]) for person in report.persons),
        acts=tuple(
            ActFacts(
                person=refs[act.person], code=act.code, beneficiary=act.beneficiary or Beneficiary.UNKNOWN
            )
            for act in report.acts
        ),
    )


def post_of(text: str | None) -> Post:
    """The post a short code or free text begins with: `Camat Sukajadi` and `Plt. Camat` are, `Sekretaris camat` is not."""
    words = _words(text)
    if not words:
        return Post.UNKNOWN
    return next((post for name, post in _POSTS.items() if words.startswith(name + " ")), Post.OTHER)


def heads_an_agency(text: str | None) -> bool:
    """Whether a post as written may be that of a PPK: `Plt. Bupati` is, `Wakil bupati` and `Staf ahli bupati` are not."""
    return _words(text).startswith(_HEADS_OF_AGENCIES)


def _words(text: str | None) -> str:
    """In capitals, each followed by a blank, without what says that somebody acts in the post."""
    words = " ".join((text or "").replace("_", " ").replace(".", " ").upper().split())
    for acting in _ACTING:
        words = words.removeprefix(acting + " ")
    return words and words + " "


def _person(person: Person, ref: str) -> PersonFacts:
    employer = person.employer
    return PersonFacts(
        ref=ref,
        status=person.status,
        post=post_of(person.post),
        post_kind=person.post_kind or PostKind.UNKNOWN,
        employer=(employer and employer.kind) or EmployerKind.UNKNOWN,
        employer_region=employer.region if employer else None,
        numbered=person.nip is not None,
        heads=heads_an_agency(person.post),
    )
