"""The events of one report, from a real acceptance and a real decision."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from contracts.codes import Agency
from contracts.decision import Part, PersonDecision
from contracts.door import read_report
from contracts.envelope import Event, event_id
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
)
from contracts.ids import derived_id
from contracts.steps import Matter, Said
from contracts.webhooks import AlarmKind, WebhookAlarm, WebhookAlarmData
from services.intake.core.acceptance import accept
from services.routing.core.decide import Judge
from services.routing.core.life import opening
from tests.builders import TODAY, a_report
from tests.packaged import packaged_judge

E = TypeVar("E", bound=Event)
NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
TICKET = "NTR-7K3M-9QXA-2BCD-4EFG"
CANARY = "KENARI"


@dataclass(frozen=True)
class Story:
    accepted: ReportAccepted
    decided: CaseDecided
    offers: tuple[CaseOffered, ...]

    @property
    def events(self) -> list[Event]:
        return [self.accepted, self.decided, *self.offers]

    def step(
        self,
        number: int,
        event: str,
        *,
        by: str = "BAWASLU",
        office: str | None = "kabkota:52.04",
        persons: tuple[Matter, ...] | None = None,
        **said: Any,
    ) -> CaseStepped:
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
        return _event(CaseStepped, data.case_id, data, str(number))

    def due(
        self,
        level: str,
        agency: str = "BAWASLU",
        office: str | None = "kabkota:52.04",
        last_day: str = "2024-11-05",
        person: str = "p1",
    ) -> CaseDue:
        case = {name: getattr(self.decided.data, name) for name in ("case_id", "ticket", "region")}
        data = CaseDueData(
            **case, person=person, agency=agency, office=office, level=level, last_day=last_day
        )
        return _event(CaseDue, data.case_id, data, agency)


def a_story(
    *, persons: int = 1, ticket: str = TICKET, handled_on: str = "2024-10-31", **changed: Any
) -> Story:
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
        _event(CaseOffered, accepted.data.case_id, _offer(case, person, agency), agency, person.ref)
        for person in decision.persons
        for agency in dict.fromkeys(part.agency for part in person.assignments if part.active)
    ]
    decided = CaseDecidedData(**case, decision=decision)
    return Story(accepted, _event(CaseDecided, accepted.data.case_id, decided), tuple(offers))


@cache
def _judge() -> Judge:
    return packaged_judge()


def link(story: Story, accepted: ReportAccepted, at: datetime = NOON) -> ReportLinked:
    """What routing says when a report joins the case of a story."""
    case_id, report = story.accepted.data.case_id, accepted.data
    data = ReportLinkedData(report_id=report.report_id, case_id=case_id, ticket=report.ticket)
    cause = event_id(report.report_id, "linked")
    return ReportLinked(id=cause, source="netral/routing", subject=str(case_id), time=at, data=data)


def _offer(case: dict[str, Any], person: PersonDecision, agency: Agency) -> CaseOfferedData:
    parts = tuple(part for part in person.assignments if part.agency is agency)
    return CaseOfferedData(
        **case, agency=agency, person=person.ref, stage=person.stage, class_=person.class_, assignments=parts
    )


def _event(kind: type[E], case_id: UUID, data: Part, *about: str) -> E:
    cause = event_id(case_id, kind.__name__, *about)
    return kind(id=cause, source="netral/routing", subject=str(case_id), time=NOON, data=data)


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
