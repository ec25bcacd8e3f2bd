"""What each office is told of a record of a case: only about persons it has a part in, only what changed for it. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.agency_events import (
    AgencyDue,
    AgencyDueData,
    AgencyMatter,
    AgencyOffered,
    AgencyOfferedData,
    AgencyStepped,
    AgencySteppedData,
)
from contracts.codes import Agency
from contracts.events import (
    CaseDecided,
    CaseDecidedData,
    CaseDue,
    CaseDueData,
    CaseStepped,
    CaseSteppedData,
    Event,
    event_id,
)
from contracts.steps import Matter
from services.routing.core.fanout import SOURCE
from services.routing.core.life import opening

Body = tuple[Agency, str | None]
"""An agency and one of its offices; no office where it is not known."""


def matters_of(record: CaseDecided | CaseStepped) -> tuple[Matter, ...]:
    """Every person's matter as a record leaves it."""
    data = record.data
    return data.persons or (opening(data.decision) if isinstance(data, CaseDecidedData) else ())


def told_of_opening(record: CaseDecided) -> list[Event]:
    """One offer for each office that has something to do or to know now."""
    return _offers(record, 0, (), matters_of(record))


def told_of_step(record: CaseStepped, before: tuple[Matter, ...]) -> list[Event]:
    """Offers to those who were not concerned before the step, and its news for those who were."""
    after, number = record.data.persons, record.data.number
    found = _offers(record, number, before, after)
    for body in _bodies(before):
        was, now = _seen(before, body), _seen(after, body)
        changed = tuple(view for ref, view in now.items() if ref in was and was[ref] != view)
        ended = tuple(ref for ref in was if ref not in now)
        if changed or ended:
            data = AgencySteppedData(**_about(record.data, body), number=number, persons=changed, ended=ended)
            found.append(AgencyStepped(**_envelope(record, "stepped", body, str(number)), data=data))
    return found


def told_of_due(record: CaseDue) -> list[Event]:
    """The reminder for the office whose limit it is."""
    data = record.data
    body = data.agency, data.office
    told = AgencyDueData(**_about(data, body), person=data.person, level=data.level, last_day=data.last_day)
    what = data.person, str(data.last_day), str(data.level)
    return [AgencyDue(**_envelope(record, "due", body, *what), data=told)]


def due_told_of(told: AgencyDue) -> CaseDue:
    """The record that `told_of_due` told of."""
    about = told.data
    data = CaseDueData(
        case_id=about.case_id,
        ticket=about.ticket,
        region=about.region,
        person=about.person,
        agency=about.agency,
        office=about.office,
        level=about.level,
        last_day=about.last_day,
    )
    key = event_id(data.case_id, "due", data.person, data.agency, str(data.last_day), data.level)
    return CaseDue(source=SOURCE, subject=str(data.case_id), time=told.time, id=key, data=data)


def _offers(
    record: CaseDecided | CaseStepped, number: int, before: Sequence[Matter], after: Sequence[Matter]
) -> list[Event]:
    found: list[Event] = []
    for body in _bodies(after):
        was, now = _seen(before, body), _seen(after, body)
        if fresh := tuple(view for ref, view in now.items() if ref not in was):
            data = AgencyOfferedData(**_about(record.data, body), number=number, persons=fresh)
            found.append(AgencyOffered(**_envelope(record, "offered", body, str(number)), data=data))
    return found


def _bodies(matters: Iterable[Matter]) -> list[Body]:
    return list(dict.fromkeys((part.agency, part.office) for m in matters for part in m.parts if part.active))


def _seen(matters: Iterable[Matter], body: Body) -> dict[str, AgencyMatter]:
    """The persons a body has an active part in, by `ref`, as it may see them."""
    found = {}
    for matter in matters:
        mine = tuple(part for part in matter.parts if (part.agency, part.office) == body)
        if any(part.active for part in mine):
            found[matter.ref] = AgencyMatter(
                ref=matter.ref,
                stage=matter.stage,
                class_=matter.class_,
                state=matter.state,
                owner=matter.owner,
                assignments=mine,
                dues=tuple(due for due in matter.dues if (due.agency, due.office) == body),
            )
    return found


def _about(data: CaseDecidedData | CaseSteppedData | CaseDueData, body: Body) -> dict[str, Any]:
    agency, office = body
    return {
        "case_id": data.case_id,
        "ticket": data.ticket,
        "region": data.region,
        "agency": agency,
        "office": office,
        "link": f"/v1/agencies/{agency}/cases/{data.case_id}",
    }


def _envelope(record: Event, kind: str, body: Body, *what: str) -> dict[str, Any]:
    agency, office = body
    case = record.subject
    return {
        "id": event_id(record.id, "agency", kind, agency, office or "-", *what),
        "source": SOURCE,
        "subject": case,
        "time": record.time,
    }
