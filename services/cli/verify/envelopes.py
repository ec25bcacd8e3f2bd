"""What an event must say of itself besides its data: its id, what it is about, who said it. Written a second time."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

_IDS = {
    "report.accepted": "report_id accepted",
    "report.resembles": "report_id resembles",
    "report.linked": "report_id linked",
    "case.decided": "case_id decided",
    "case.offered": "case_id offered/{agency}/{person}{later}",
    "case.unroutable": "case_id unroutable",
    "case.stepped": "case_id step/{number}",
    "case.due": "case_id due/{person}/{agency}/{last_day}/{level}",
    "case.waiting": "case_id waiting/{person}/{last_day}",
    "match.answered": "match_id answered/{number}",
    "notice.sent": "notice_id sent{turned}",
    "webhook.changed": "endpoint_id {number}",
    "webhook.alarm": "alarm_id told",
    "agency.offered": "record agency/offered/{agency}/{body}/{number}",
    "agency.stepped": "record agency/stepped/{agency}/{body}/{number}",
    "agency.due": "record agency/due/{agency}/{body}/{person}/{last_day}/{level}",
}
"""What an id is derived from, and by which words; `record` is the event of the case that an office is told of."""
_ABOUT = {
    "report.accepted": "report_id",
    "report.resembles": "report_id",
    "webhook.changed": "endpoint_id",
    "webhook.alarm": "endpoint_id",
}
_ALWAYS = {"specversion": "1.0", "datacontenttype": "application/json"}
_SOURCES = {"report.accepted": "intake", "report.resembles": "intake", "notice.sent": "notifications"}


def odd_in(event: dict[str, Any]) -> Iterator[str]:
    """What is not as it must be. Receivers tell by the id whether they know an event. Raises KeyError and ValueError."""
    kind = event["type"].removeprefix("id.netral.").removesuffix(".v1")
    if kind not in _IDS:
        yield f"is of the type {event['type']}, which is not known here"
        return
    about = event["data"][_ABOUT.get(kind, "case_id")]
    wanted = {"id": _id(kind, event["data"]), "subject": about, **_ALWAYS}
    wanted["source"] = f"netral/{_SOURCES.get(kind, 'routing')}"
    for name, value in wanted.items():
        if (found := event.get(name)) != value:
            yield f"has the {name} {found}, not {value}"


def _id(kind: str, data: dict[str, Any]) -> str:
    cause, words = _IDS[kind].split()
    root = _record(kind, data) if cause == "record" else UUID(data[cause])
    return str(_event(root, words, data))


def _record(kind: str, data: dict[str, Any]) -> UUID:
    """The id of the decision, the step or the limit that an office is told of."""
    if kind == "agency.due":
        return _event(UUID(data["case_id"]), _IDS["case.due"].split()[1], data)
    return _event(UUID(data["case_id"]), "step/{number}" if data["number"] else "decided", data)


def _event(cause: UUID, words: str, data: dict[str, Any]) -> UUID:
    later = f"/{data['step']}" if data.get("step") else ""
    turned = f"/{data['turn']}" if data.get("turn") else ""
    named = {**data, "later": later, "turned": turned, "body": data.get("office") or "-"}
    return uuid5(cause, "event/" + words.format_map(named))
