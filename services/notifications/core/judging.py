"""Whether an office may be written to about a case: never one that a reported person heads. Pure; it runs on paper."""

from collections.abc import Iterable
from typing import NamedTuple

from contracts import regions
from contracts.codes import Agency, EmployerKind
from contracts.facts import PersonFacts, ReportFacts
from contracts.steps import Said
from services.notifications.core.matrix import Matrix

Offices = frozenset[tuple[Agency, str | None]]
"""Offices that a reported person heads; an office of None stands for every office of that agency."""


class _Head(NamedTuple):
    status: str | None
    post: str | None
    office: str | None


def implicated(facts: ReportFacts, said: Iterable[Said], matrix: Matrix) -> Offices:
    """The offices that any reported person of a case heads, as reported or as anybody said since.

    One voice is enough here, although an identity needs two to count: a letter that was withheld can still be sent.
    """
    heads = [_Head(p.status, p.post, _headed(p, facts.region)) for p in facts.persons]
    heads += [
        _Head(s.status, s.post, headed_office(s.employer, s.employer_region, facts.region))
        for s in said
        if s.status or s.post
    ]
    return frozenset(
        (agency, head.office)
        for head in heads
        for row in matrix.implicated
        if head.status in row.statuses or head.post in row.posts
        for agency in row.agencies
    )


def may_be_told(agency: Agency, office: str | None, heads: Offices) -> bool:
    """Whether no reported person heads the office; one that is not known might be anybody's."""
    if (agency, office) in heads or (agency, None) in heads:
        return False
    return office is not None or all(agency is not headed for headed, _ in heads)


def headed_office(employer: str | None, region: str | None, place: str) -> str | None:
    """The regional office somebody heads, as decisions write it: `prov:52`, `kabkota:52.04`; None: not known.

    An acting head of a region is often lent by a ministry: then the place of the event says which region.
    """
    try:
        code = regions.bare(place if employer == EmployerKind.PUSAT or region is None else region)
    except KeyError:
        return None
    if employer == EmployerKind.PROVINSI or "." not in code:
        return f"prov:{code[:2]}"
    return f"kabkota:{code}"


def _headed(person: PersonFacts, place: str) -> str | None:
    return headed_office(person.employer, person.employer_region, place)
