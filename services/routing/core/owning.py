"""Who must act next: exactly one body, or the operator's queue with its reason."""

from collections.abc import Sequence

from contracts.codes import OPENED, Agency
from contracts.decision import Assignment
from contracts.steps import OPERATOR, Heard, Owner
from services.routing.core.hops import TRANSFERRED_RULE, Hops
from services.routing.core.parts import SILENT, STILL_OWES, owes_sanction


def owner_of(acting: Sequence[Assignment], events: Sequence[Heard], hops: Hops, state: str) -> Owner:
    """Who took the file over, else the part that was triggered last.

    Of parts triggered together the first of the rulebook leads, but of those that press a silent PPK the last: it is the
    higher one. The duty to sanction leads what is only reported about it (R13). The crime track comes after all others,
    and a PPK that already was silent after those who press it.
    """
    if hops.holder:
        agency, office = hops.holder
        return Owner.model_validate({"agency": agency, "office": office, "why": _held(hops)})
    if not acting:
        return Owner(agency="OPERATOR", office=None, why=_queue(hops, state))
    triggers = [OPENED, *(event.trigger for event in events)]

    def rank(numbered: tuple[int, Assignment]) -> tuple[bool, bool, int, bool, int]:
        number, part = numbered
        happened = max((n for n, trigger in enumerate(triggers) if trigger == part.when), default=-1)
        order = number if part.when == SILENT else -number
        return (
            part.agency is not Agency.GAKKUMDU,
            part.rule != STILL_OWES,
            happened,
            owes_sanction(part),
            order,
        )

    _, lead = max(enumerate(acting), key=rank)
    return Owner(agency=lead.agency, office=lead.office, why=lead.rule)


def _held(hops: Hops) -> str:
    if hops.holder and hops.holder[0] == OPERATOR:
        return "queue.returned" if hops.returned else "queue.refused"
    return "returned" if hops.returned else TRANSFERRED_RULE


def _queue(hops: Hops, state: str) -> str:
    if state == "NOT_VERIFIED":
        return "queue.not-verified"
    return "queue.no-superior" if hops.recused and state == "RECOMMENDED" else "queue.unroutable"
