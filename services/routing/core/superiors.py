"""Who decides instead of a PPK that is the reported person, a candidate, or led by one of them (R41; skb.md 5)."""

from contracts.codes import OPENED, Agency, Role, Status
from contracts.decision import Assignment, Review
from contracts.facts import PersonFacts, ReportFacts
from services.routing.core.offices import office_of
from services.routing.core.parts import SUPERIOR
from services.routing.core.situation import place_of

_HEADS = {Status.KEPALA_DAERAH, Status.PJ_KEPALA_DAERAH}
_CONFLICT = "benturan kepentingan PPK (skb.md 5, disimpulkan)"
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


def ppk_is_reported(facts: ReportFacts, person: PersonFacts) -> bool:
    """Whether the head of the region a person works for is reported in the same case."""
    office = _ppk(facts, person)
    heads = [other for other in facts.persons if other.ref != person.ref and other.status in _HEADS]
    return office is not None and any(_ppk(facts, head) == office for head in heads)


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
