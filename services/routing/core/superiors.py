"""Who decides instead of a PPK that is the reported person, a candidate, or led by one of them (R41; ADR 0066)."""

from contracts.codes import OPENED, Agency, EmployerKind, Post, Role, Status
from contracts.decision import Assignment, Review
from contracts.facts import PersonFacts, ReportFacts
from services.routing.core.offices import office_of
from services.routing.core.parts import SUPERIOR
from services.routing.core.situation import place_of

_HEADS = {Status.KEPALA_DAERAH, Status.PJ_KEPALA_DAERAH}
_CONFLICT = "UU 30/2014 art. 42(2)"
"""The superior decides instead of an official with a conflict of interest; who that is stays a question."""
QUESTION = Review(
    rule=SUPERIOR,
    question="PPK adalah terlapor atau calon dalam perkara ini. Apakah benar atasannya (Mendagri, untuk bupati/wali kota "
    "melalui gubernur) yang memutus? / The PPK is the reported person or a candidate in this case. Is it right that "
    "his superior (the Minister of Home Affairs, for regents and mayors through the governor) decides?",
)
NO_SUPERIOR = Review(
    rule=SUPERIOR,
    question="PPK berbenturan kepentingan, dan atasannya tidak ditetapkan sumber mana pun. Siapa yang memutus? / "
    "The PPK has a conflict of interest and no source names his superior. Who decides?",
)
ASKED = Review(
    rule=SUPERIOR,
    question="PPK yang disebut di sini mungkin terlapor sendiri. Apakah atasannya (Mendagri, untuk daerah) yang memutus "
    "sanksinya? / The PPK named here may be a reported person himself. Does his superior (the Minister of Home Affairs, "
    "for regions) decide on the sanction?",
)
"""What the decision document asks, which goes on naming the PPK: nobody may be made competent by a guess (R41)."""
_STAFF = {Status.PNS, Status.CPNS, Status.PPPK}


def ppk_is_reported(facts: ReportFacts, person: PersonFacts) -> bool:
    """Whether the head of the region a person works for is reported in the same case, or is that person."""
    office = _ppk(facts, person)
    if office in (None, "pusat"):
        return False
    others = [other for other in facts.persons if other.ref != person.ref]
    return any(_heads(other) and _ppk(facts, other) == office for other in (person, *others))


def ppk_may_be_reported(facts: ReportFacts, person: PersonFacts) -> bool:
    """The same, and for the centre whether the person's own post may be the head of its agency."""
    central = person.employer is EmployerKind.PUSAT and person.heads
    return person.status in _STAFF and (central or ppk_is_reported(facts, person))


def superiors_of(facts: ReportFacts, person: PersonFacts) -> tuple[tuple[Assignment, ...], Review]:
    """Who stands in for the PPK of a person, and the question that must be answered; nobody for a central PPK."""
    office = _ppk(facts, person)
    if office is None or office == "pusat":
        return (), NO_SUPERIOR
    minister = _standing_in(Agency.KEMENDAGRI, "pusat", Role.ACTION)
    if office.startswith("prov:"):
        return (minister,), QUESTION
    governor = _standing_in(Agency.PPK, f"prov:{office.removeprefix('kabkota:')[:2]}", Role.COPY)
    return (minister, governor), QUESTION


def _heads(person: PersonFacts) -> bool:
    """Whether somebody leads a region; the head of a *badan* there does not."""
    return person.status in _HEADS or (
        person.heads and person.status in _STAFF and person.post is not Post.KEPALA_DINAS
    )


def _ppk(facts: ReportFacts, person: PersonFacts) -> str | None:
    return office_of("EMPLOYER", person.employer, person.employer_region, place_of(facts, person))


def _standing_in(agency: Agency, office: str, role: Role) -> Assignment:
    return Assignment(
        agency=agency,
        office=office,
        role=role,
        when=OPENED,
        rule=SUPERIOR,
        basis=(_CONFLICT,),
        deadline=None,
        active=False,
    )
