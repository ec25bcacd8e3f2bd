"""A person's matter as the doors show it, with the labels of the field; pure."""

from typing import Any

from contracts.steps import Matter
from services.routing.core.lifecycle import MARKS, QUEUES, STATES


def shown_now(matter: Matter) -> dict[str, Any]:
    """State, owner, limits, marks and questions, each code with its Indonesian and English label."""
    state = STATES[matter.state]
    return {
        "ref": matter.ref,
        "state": matter.state,
        "label": {"id": state.id, "en": state.en},
        "owner": matter.owner.model_dump() if matter.owner else None,
        **beside(matter.model_dump(mode="json")),
        "dues": [due.model_dump(mode="json") for due in matter.dues],
    }


def beside(matter: dict[str, Any]) -> dict[str, Any]:
    """What is known beside the state, from a matter as the log or the read model holds it."""
    why = (matter.get("owner") or {}).get("why")
    marks = [{"code": code, "id": MARKS[code][0], "en": MARKS[code][1]} for code in matter.get("marks", ())]
    queue = {"id": QUEUES[why][0], "en": QUEUES[why][1]} if why in QUEUES else None
    questions = [question["question"] for question in matter.get("questions", ())]
    return {"marks": marks, "queue": queue, "questions": questions, "alarm": matter.get("alarm")}
