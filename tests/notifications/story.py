"""The events of one report, from a real acceptance and a real decision."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from contracts.codes import Agency
from contracts.door import read_report
from contracts.events import (
    CaseDecided,
    CaseDecidedData,
    CaseDue,
    CaseDueData,
    CaseOffered,
    CaseOfferedData,
    CaseStepped,
    CaseSteppedData,
    ReportAccepted,
    ReportLinked,
    ReportLinkedData,
    event_id,
)
from contracts.ids import derived_id
from contracts.steps import Said
from contracts.webhooks import AlarmKind, WebhookAlarm, WebhookAlarmData
from services.intake.core.acceptance import accept
from services.routing.core.life import opening
from tests.builders import TODAY, a_report
from tests.packaged import packaged_judge

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

    def step(self, number, event, *, by="BAWASLU", office="kabkota:52.04", persons=None, **said):
        """What routing says when somebody said something about the case; its persons stay as they were opened."""
        matters = persons if persons is not None else opening(self.decided.data.decision)
        case = {n: getattr(self.decided.data, n) for n in ("report_id", "case_id", "ticket", "region")}
        data = CaseSteppedData(
            **case,
            number=number,
            by=by,
            office=office,
            said=Said(event=event, on="2024-11-02", **said),
            rulebook=self.decided.data.decision.rulebook,
            handled_on="2024-11-02",
            persons=matters,
        )
        return _event(CaseStepped, None, self.accepted, number=number, given=data)

    def due(self, level, agency="BAWASLU", office="kabkota:52.04", last_day="2024-11-05", person="p1"):
        case = {name: getattr(self.decided.data, name) for name in ("case_id", "ticket", "region")}
        data = CaseDueData(
            **case, person=person, agency=agency, office=office, level=level, last_day=last_day
        )
        return _event(CaseDue, None, self.accepted, agency=agency, given=data)


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
    return packaged_judge()


def link(story: Story, accepted: ReportAccepted, at: datetime = NOON) -> ReportLinked:
    """What routing says when a report joins the case of a story."""
    case_id, report = story.accepted.data.case_id, accepted.data
    data = ReportLinkedData(report_id=report.report_id, case_id=case_id, ticket=report.ticket)
    cause = event_id(report.report_id, "linked")
    return ReportLinked(id=cause, source="netral/routing", subject=str(case_id), time=at, data=data)


def _part(person, agency):
    parts = tuple(part for part in person.assignments if part.agency is agency)
    return {"person": person.ref, "stage": person.stage, "class_": person.class_, "assignments": parts}


def _event(kind, content, accepted, **data):
    case_id = accepted.data.case_id
    given = data.pop("given", None)
    cause = event_id(
        case_id, kind.__name__, *(str(data.get(name)) for name in ("agency", "person", "number"))
    )
    return kind(
        id=cause, source="netral/routing", subject=str(case_id), time=NOON, data=given or content(**data)
    )


def an_alarm(kind: AlarmKind = AlarmKind.PARKED) -> WebhookAlarm:
    """What routing says when an endpoint of Bawaslu in Sumbawa fails since noon."""
    endpoint = UUID(int=5)
    data = WebhookAlarmData(
        alarm_id=derived_id(endpoint, "alarm", kind, NOON.isoformat()),
        endpoint_id=endpoint,
        agency=Agency.BAWASLU,
        office="kabkota:52.04",
        alarm=kind,
        since=NOON,
    )
    return WebhookAlarm(
        id=event_id(data.alarm_id, "told"),
        source="netral/routing",
        subject=str(endpoint),
        time=NOON,
        data=data,
    )
