"""The story of a case from its events: what happened, who was told, and why; pure."""

import json
from typing import Any

Row = dict[str, Any]

_ROLES = {"ACTION": "to act", "COPY": "copied (tembusan)", "INFORMATION": "informed"}


def story_of(case: Row, offers: list[Row], notices: list[Row], unroutable: list[Row]) -> Row:
    """The whole case as `GET /v1/operator/cases/{id}` gives it; the timeline is in order of time."""
    decision = json.loads(case["event"])["data"]["decision"]
    timeline = [_decided(case, decision)]
    timeline += [entry for offer in offers for entry in _offered(offer)]
    timeline += [_unroutable(row) for row in unroutable]
    timeline += [_noticed(row) for row in notices]
    return {
        "case_id": case["case_id"],
        "report_id": case["report_id"],
        "ticket": case["ticket"],
        "region": case["region"],
        "opened_at": case["opened_at"].isoformat(),
        "state": "UNROUTABLE" if unroutable else "ROUTED",
        "timeline": sorted(timeline, key=_when),
        "decision": decision,
    }


def undecided(accepted: bytes) -> Row:
    """The story of a report that is safe in its stream and not decided yet; routing owns it."""
    event = json.loads(accepted)
    data = event["data"]
    why = "waits for routing; `netral parked` and `netral doctor` say why if it takes long"
    return {
        "case_id": data["case_id"],
        "report_id": data["report_id"],
        "ticket": data["ticket"],
        "region": data["facts"]["region"],
        "opened_at": event["time"],
        "state": "ACCEPTED",
        "timeline": [{"at": event["time"], "what": "accepted", "who": "routing", "why": why}],
        "decision": None,
    }


def _when(entry: Row) -> str:
    return str(entry["at"])


def _decided(case: Row, decision: Row) -> Row:
    book = decision["rulebook"]
    return _entry(
        case["opened_at"], "decided", "routing", f"{book['id']} {book['version']}, {decision['handled_on']}"
    )


def _offered(offer: Row) -> list[Row]:
    data = json.loads(offer["event"])["data"]
    return [
        _entry(
            offer["at"],
            f"{data['person']} offered, {_ROLES[part['role']]}",
            f"{part['agency']} {part['office'] or ''}".strip(),
            f"{part['rule']}: {', '.join(part['basis'])}",
        )
        for part in data["assignments"]
        if part["active"]
    ]


def _unroutable(row: Row) -> Row:
    return _entry(row["at"], f"nobody is competent for {row['persons']}", "OPERATOR", row["reason"])


def _noticed(row: Row) -> Row:
    who = "REPORTER" if row["audience"] == "REPORTER" else f"{row['agency']} {row['office'] or ''}".strip()
    return _entry(row["at"], f"e-mail {row['step']} {row['outcome']} (try {row['attempts']})", who, None)


def _entry(at: Any, what: str, who: str, why: str | None) -> Row:
    return {"at": at.isoformat(), "what": what, "who": who, "why": why}
