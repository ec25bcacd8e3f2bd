"""The events of one report, from a real acceptance and a real decision."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from contracts.door import read_report
from contracts.events import (
    CaseDecided,
    CaseDecidedData,
    CaseOffered,
    CaseOfferedData,
    ReportAccepted,
    ReportLinked,
    ReportLinkedData,
    event_id,
)
from services.intake.core.acceptance import accept
from services.routing.deciding import load_judge
from tests.builders import TODAY, a_report

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
TICKET = "NTR-7K3M-9QXA-2BCD-4EFG"
CANARY = "KENARI"


@dataclass(frozen=True)
class Story:
    accepted: ReportAccepted
    decided: CaseDecided
    offers: tuple[CaseOffered, ...]

    @property
    def events(self):
        return [self.accepted, self.decided, *self.offers]


def a_story(*, persons: int = 1, ticket: str = TICKET, handled_on: str = "2024-10-31", **changed) -> Story:
    """What intake and routing say about a report; every free text of it is a canary. Another ticket is another case."""
    document = a_report(narrative=f"{CANARY} narasi", incident__place=f"{CANARY} lapangan", **changed)
    person = {"name": f"{CANARY} {ticket}", **document["persons"][0]}
    document["persons"] = [{**copy.deepcopy(person), "ref": f"{CANARY}{n}"} for n in range(persons)]
    document["acts"] = [{**document["acts"][0], "person": p["ref"]} for p in document["persons"]]
    document["reporter"] |= {"name": f"{CANARY} pelapor", "email": "warga@contoh.example"}
    accepted = accept(read_report(document, TODAY), ticket, NOON, b"a door key").event
    day = datetime.fromisoformat(handled_on).date()
    decision = _judge().decide(accepted.data.facts, day, ())
    case = {name: getattr(accepted.data, name) for name in ("report_id", "case_id", "ticket")} | {
        "region": accepted.data.facts.region
    }
    offers = [
        _event(CaseOffered, CaseOfferedData, accepted, **case, agency=agency, **_part(person, agency))
        for person in decision.persons
        for agency in dict.fromkeys(part.agency for part in person.assignments if part.active)
    ]
    return Story(
        accepted, _event(CaseDecided, CaseDecidedData, accepted, **case, decision=decision), tuple(offers)
    )


@cache
def _judge():
    return load_judge()


def link(story: Story, accepted: ReportAccepted) -> ReportLinked:
    """What routing says when a report joins the case of a story."""
    case_id, report = story.accepted.data.case_id, accepted.data
    data = ReportLinkedData(report_id=report.report_id, case_id=case_id, ticket=report.ticket)
    cause = event_id(report.report_id, "linked")
    return ReportLinked(id=cause, source="netral/routing", subject=str(case_id), time=NOON, data=data)


def _part(person, agency):
    parts = tuple(part for part in person.assignments if part.agency is agency)
    return {"person": person.ref, "stage": person.stage, "class_": person.class_, "assignments": parts}


def _event(kind, content, accepted, **data):
    case_id = accepted.data.case_id
    cause = event_id(case_id, kind.__name__, str(data.get("agency")), str(data.get("person")))
    return kind(id=cause, source="netral/routing", subject=str(case_id), time=NOON, data=content(**data))
