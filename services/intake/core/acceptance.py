"""Decides what an accepted report becomes: the event that may travel, and the two parts that are sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts import regions
from contracts.events import ReportAccepted, ReportAcceptedData, event_id
from contracts.facts import facts_of
from contracts.ids import report_id_of
from contracts.report import Report
from services.intake.core.correlation import case_id_for

SOURCE = "netral/intake"
NATIONAL_TIME = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Acceptance:
    """`dossier` is what a competent agency may read, `reporter` what it may not."""

    event: ReportAccepted
    dossier: dict[str, Any]
    reporter: dict[str, Any]


def accept(report: Report, ticket: str, received_at: datetime, door_key: bytes) -> Acceptance:
    """What becomes of a valid report that came in at `received_at` (UTC)."""
    document = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    reporter = document["reporter"]
    document["reporter"] = {"kind": reporter.pop("kind")}
    refs = {f"p{number}": person.ref for number, person in enumerate(report.persons, 1)}
    event = _event(report, ticket, received_at, door_key)
    return Acceptance(event, {"report": document, "refs": refs}, reporter)


def zone_at(document: Any) -> ZoneInfo:
    """The time zone of the incident in an unchecked document; Jakarta's if it names no known region."""
    incident = document.get("incident") if isinstance(document, dict) else None
    region = incident.get("region") if isinstance(incident, dict) else None
    if isinstance(region, str) and regions.problem_with(region) is None:
        return regions.zone_of(region)
    return NATIONAL_TIME


def _event(report: Report, ticket: str, received_at: datetime, door_key: bytes) -> ReportAccepted:
    report_id = report_id_of(ticket)
    received_on = received_at.astimezone(regions.zone_of(report.incident.region)).date()
    facts = facts_of(report, received_on)
    return ReportAccepted(
        id=event_id(report_id, "accepted"),
        source=SOURCE,
        subject=str(report_id),
        time=received_at,
        data=ReportAcceptedData(
            report_id=report_id,
            case_id=case_id_for(report, facts, door_key, report_id),
            ticket=ticket,
            facts=facts,
        ),
    )
