"""Which assignments are active: triggered, and not concluded or overtaken by a later event (contract.md, part 1)."""

from contracts.codes import OPENED
from contracts.progress import Progress
from services.routing.core.rules import Assign

ENDS_EVERYTHING = {"STUDY_CONCLUDED:NO_BREACH", "STUDY_CONCLUDED:NOT_REGISTERED", "WITHDRAWN"}
"""After these nothing of the person stays active but what they start themselves."""


def is_active(assign: Assign, events: tuple[Progress, ...]) -> bool:
    """Whether an assignment is active after the events about one person, given in their order."""
    active = assign.when == OPENED
    seen = 0
    for event in events:
        trigger = event.trigger
        if trigger in ENDS_EVERYTHING or _concludes(trigger, assign.until):
            active = False
        if trigger == assign.when:
            seen += 1
            active = seen > 1 if assign.repeated else True
    return active


def _concludes(trigger: str, until: frozenset[str]) -> bool:
    return trigger in until or trigger.split(":", 1)[0] in until
