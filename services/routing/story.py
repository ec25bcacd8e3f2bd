"""The story of a case from its events: what happened, who was told, and why."""

import json
from typing import Any

from services.routing.core.lifecycle import STATES
from services.routing.showing import beside
from services.routing.story_pages import Page

Row = dict[str, Any]

_ROLES = {"ACTION": "to act", "COPY": "copied (tembusan)", "INFORMATION": "informed"}


def story_of(
    case: Row,
    offers: list[Row],
    page: Page,
    matters: list[Row],
    steps: list[Row],
    duplicates: list[Row],
    *,
    first: bool = True,
) -> Row:
    """The whole case as `GET /v1/operator/cases/{id}` gives it; the timeline is in order of time.

    `duplicates` are the cases linked to this one; their reports are in `page`. On a page that is not the `first` the
    timeline holds the reports and e-mails of that page only.
    """
    decision = json.loads(case["event"])["data"]["decision"]
    timeline = [_reported(row, case["case_id"]) for row in page.reports]
    timeline += [_noticed(row) for row in page.notices]
    if first:
        timeline += [_decided(case, decision), *(_stepped(row) for row in steps)]
        timeline += [entry for offer in offers for entry in _offered(offer)]
    return {
        "case_id": case["case_id"],
        "report_id": case["report_id"],
        "ticket": case["ticket"],
        "region": case["region"],
        "opened_at": case["opened_at"].isoformat(),
        "state": "CLOSED" if matters and all(row["closed"] for row in matters) else "OPEN",
        "step": len(steps),
        "persons": [_matter(row) for row in matters],
        "reports": [
            {"ticket": row["ticket"], "report_id": row["report_id"], "at": row["at"].isoformat()}
            for row in page.reports
        ],
        "total": page.total,
        "next_cursor": page.next_cursor,
        "duplicates": [{"case_id": row["case_id"], "ticket": row["ticket"]} for row in duplicates],
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
        "step": 0,
        "persons": [],
        "reports": [],
        "total": {"notices": 0, "reports": 0},
        "next_cursor": None,
        "duplicates": [],
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


def _reported(row: Row, case_id: str) -> Row:
    what = "report linked" if row["case_id"] == case_id else f"report of the duplicate {row['case_id']}"
    return _entry(row["at"], what, "routing", row["ticket"])


def _stepped(step: Row) -> Row:
    """What was said, by whom, about whom, and with which words."""
    said = step["said"]
    what = ":".join(filter(None, (said["event"], said["result"])))
    about = said["person"] or "everybody"
    to = f" to {said['to']} {said['office'] or ''}".rstrip() if said["to"] else ""
    to += f" to the case {said['case']}" if said.get("case") else ""
    taken = f" of step {said['step']}" if said["step"] else ""
    shown = ("rule", "status", "post_kind", "employer", "employer_region")
    coded = {name: said[name] for name in shown if said.get(name)}
    words = coded | _reckoned(said) | step["words"]
    why = "; ".join(f"{name}: {text}" for name, text in words.items())
    who = f"{step['by']} {step['office'] or ''}".strip()
    return _entry(
        step["at"], f"step {step['number']}: {about} {what}{taken}{to}, on {said['on']}", who, why or None
    )


def _reckoned(said: Row) -> Row:
    """Of a RECKON: each limit that moved, and the calendar that moved it."""
    if not said.get("calendar"):
        return {}
    moved = ", ".join(
        f"{' '.join(filter(None, (limit['person'], limit['agency'], limit['office'])))} {limit['was']} -> {limit['now']}"
        for limit in said["moved"]
    )
    return {"moved": moved, "calendar": f"{said['calendar']['version']} {said['calendar']['digest']}"}


def _matter(row: Row) -> Row:
    state, matter = STATES[row["state"]], json.loads(row["matter"])
    return {
        "ref": row["ref"],
        "stage": matter["stage"],
        "class": matter["class"],
        "state": row["state"],
        "label": {"id": state.id, "en": state.en},
        "owner": matter["owner"],
        **beside(matter),
        "since": row["since"].isoformat(),
        "assignments": matter["parts"],
        "dues": matter["dues"],
    }


def _noticed(row: Row) -> Row:
    who = "REPORTER" if row["audience"] == "REPORTER" else f"{row['agency']} {row['office'] or ''}".strip()
    return _entry(row["at"], f"e-mail {row['step']} {row['outcome']} (try {row['attempts']})", who, None)


def _entry(at: Any, what: str, who: str, why: str | None) -> Row:
    return {"at": at.isoformat(), "what": what, "who": who, "why": why}
