"""Where an event belongs by its own data, written a second time: nothing of the classes that write events is used."""

from typing import Any
from uuid import UUID, uuid5

_OWN = {
    "report.accepted": "reports.{report_id}.accepted",
    "report.resembles": "reports.{report_id}.resembles",
    "report.linked": "cases.{case_id}.reports.{report_id}",
    "case.decided": "cases.{case_id}.decided",
    "case.offered": "cases.{case_id}.offered.{agency}.{person}{later}",
    "case.unroutable": "cases.{case_id}.unroutable",
    "case.stepped": "cases.{case_id}.step.{number}",
    "case.due": "cases.{case_id}.due.{person}.{agency}.{last_day}.{level}",
    "case.waiting": "cases.{case_id}.waiting.{person}.{last_day}",
    "match.answered": "cases.{case_id}.match.{match_id}.{number}",
    "agency.offered": "told.{agency}.{body}.{case_id}.offered.{number}",
    "agency.stepped": "told.{agency}.{body}.{case_id}.stepped.{number}",
    "agency.due": "told.{agency}.{body}.{case_id}.due.{person}.{last_day}.{level}",
    "notice.sent": "notices.{case_id}.{ending}",
    "webhook.changed": "webhooks.{endpoint_id}.{number}",
    "webhook.alarm": "webhooks.{endpoint_id}.alarm.{alarm_id}",
}


def own_subject(event: dict[str, Any]) -> str | None:
    """The subject an event must lie under; None for a type that is not known here. Raises KeyError and ValueError."""
    template = _OWN.get(event["type"].removeprefix("id.netral.").removesuffix(".v1"))
    return template and template.format_map(_words(event["data"]))


def _words(data: dict[str, Any]) -> dict[str, Any]:
    for name in data.keys() & {"case_id", "report_id"}:
        UUID(data[name])
    step, office = data.get("step"), data.get("office")
    words = {**data, "later": f".{step}" if step else ""}
    words["body"] = office.replace(":", "-").replace(".", "-") if office else "any"
    if "notice_id" in data:
        turn, first = data.get("turn"), UUID(data["notice_id"])
        words["ending"] = uuid5(first, f"turn/{turn}") if turn else first
    return words
