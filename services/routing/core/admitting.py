"""Whether a body may say a step now; if not, the reason, in words that name the cure."""

from datetime import date

from contracts import regions
from contracts.codes import Agency, ProgressEvent, Role
from contracts.facts import ReportFacts
from contracts.steps import NETRAL, OPERATOR, Matter, MoveKind, Said
from services.routing.core.life import Life
from services.routing.core.lifecycle import MAY_SUPERVISE, MEASURES, STATES, WAYS
from services.routing.core.linking import refusal_of_a_linked_case, refusal_to_link
from services.routing.core.standing import state_of

_OPERATOR_ONLY = {MoveKind.ASSIGN, MoveKind.SUCCEED}
_NEEDS_TO = {MoveKind.TRANSFER, MoveKind.ASSIGN, MoveKind.REFUSE}


def refusal_of(
    life: Life,
    facts: ReportFacts,
    said: Said,
    by: str,
    office: str | None,
    today: date,
    steps: dict[int, str],
) -> str | None:
    """Why a step is impossible, or None. `steps` holds who said each step so far, by number."""
    refs = [person.ref for person in facts.persons]
    if said.person is not None and said.person not in refs:
        return f"{said.person} is no person of this case; write one of {', '.join(refs)}"
    if said.on > today:
        return f"on lies in the future (today is {today}); write the day it happened"
    if said.on < facts.occurred_on:
        return f"on is before the incident ({facts.occurred_on}); write the day it happened"
    if reason := refusal_of_a_linked_case(life.link, said):
        return reason
    concerned = [matter for matter in life.matters if said.person in (None, matter.ref)]
    if isinstance(said.event, ProgressEvent):
        return _progress(life, said, by, concerned)
    return _move(life, said, by, office, concerned, steps)


def _progress(life: Life, said: Said, by: str, concerned: list[Matter]) -> str | None:
    trigger = f"{said.event}:{said.result}" if said.result else str(said.event)
    way = WAYS[trigger]
    if said.event is ProgressEvent.IDENTIFIED and (reason := _names_nobody(life, said)):
        return reason
    if by not in (OPERATOR, NETRAL) and Agency(by) not in way.speakers and not _takes_up(said, by, concerned):
        return f"{trigger} is said by {' or '.join(sorted(way.speakers))}, not by {by}"
    for matter in concerned:
        state = state_of(life.events, matter.ref)
        ended = STATES[matter.state].closed
        if state not in way.after or (ended and matter.state != state):
            return (
                f"{matter.ref} is in state {matter.state} ({STATES[matter.state].id}), where {trigger} is impossible; "
                f"{by} may say now: {', '.join(_possible(matter.state if ended else state, by)) or 'nothing'}"
            )
        days = [e.on for e in life.events if e.person in (None, matter.ref) and WAYS[e.trigger].to]
        if way.to and days and said.on < max(days):
            return f"on is before the last step of {matter.ref} ({max(days)}); a step follows the one before"
    return None


def _possible(state: str, by: str) -> list[str]:
    """The progress a body may say after a state."""
    anybody = by in (OPERATOR, NETRAL)
    return sorted(
        name for name, way in WAYS.items() if state in way.after and (anybody or by in way.speakers)
    )


def _names_nobody(life: Life, said: Said) -> str | None:
    """Why an IDENTIFIED says nothing of anybody."""
    if said.person is None and len(life.matters) > 1:
        return "IDENTIFIED is about one person; write person"
    named = (said.status, said.post, said.post_kind, said.employer, said.numbered or None)
    return None if any(named) else "IDENTIFIED names nobody; write status, employer, post or nip"


def _takes_up(said: Said, by: str, concerned: list[Matter]) -> bool:
    """Whether the rulebook made it the supervisor of all these persons: a successor of BKN speaks as BKN did."""
    supervises = said.event is ProgressEvent.SUPERVISOR_CONCLUDED and by in MAY_SUPERVISE
    return supervises and all(
        any(
            part.agency == by
            and part.role is Role.ACTION
            and part.active
            and part.when in ("STUDY_CONCLUDED:BREACH", "IDENTIFIED")
            for part in matter.parts
        )
        and matter.state == "BREACH"
        for matter in concerned
    )


def _move(
    life: Life, said: Said, by: str, office: str | None, concerned: list[Matter], steps: dict[int, str]
) -> str | None:
    if reason := _malformed(said, by):
        return reason
    if said.event is MoveKind.VOID:
        return _void(said, by, steps)
    if said.event is MoveKind.SUCCEED:
        return None
    if said.event is MoveKind.LINK:
        return refusal_to_link(life.link, life.matters, said, by)
    if said.event is MoveKind.ACKNOWLEDGE:
        told = any(_told(matter, by, office) for matter in concerned)
        return None if told else f"{by} has no part here now, so there is nothing to take note of"
    return next(filter(None, (_hop(life, matter, said, by, office) for matter in concerned)), None)


def _malformed(said: Said, by: str) -> str | None:
    """What is wrong with a move whatever the case."""
    kind = said.event
    if kind is MoveKind.RECKON:
        return "RECKON is said by Netral itself when the calendars change; load them (netral calendar load)"
    if (kind in _OPERATOR_ONLY and by != OPERATOR) or (
        kind is MoveKind.LINK and by not in (OPERATOR, NETRAL)
    ):
        return f"{kind} is said by the operator only"
    if kind in _NEEDS_TO and said.to is None:
        return f"to is missing; name the agency that is competent in {kind}"
    if said.office is not None and not _is_office(said.office):
        return "office is none; write pusat, prov:PP or kabkota:PP.KK"
    return None


def _is_office(text: str) -> bool:
    try:
        regions.label_of(text)
    except KeyError:
        return False
    return True


def _hop(life: Life, matter: Matter, said: Said, by: str, office: str | None) -> str | None:
    hops, owner = life.hops[matter.ref], matter.owner
    if owner is None:
        return f"{matter.ref} is closed ({matter.state}); nothing can be moved any more"
    if said.event in MEASURES:
        return _measure(life, matter, said, by)
    asked = (
        hops.asked is not None
        and hops.asked[0] == by
        and (hops.asked[1] is None or office in (None, hops.asked[1]))
    )
    if said.event is MoveKind.ACCEPT:
        return None if asked else f"{matter.ref} was not transferred to {by}"
    if said.event is MoveKind.REFUSE and asked:
        return None
    mine = owner.agency == by and office in (None, owner.office)
    mine = mine or (by == OPERATOR and said.event is not MoveKind.DONE)
    if said.event is MoveKind.DONE and _has_part(matter, by, office):
        return None
    if not mine:
        return f"{matter.ref} is owned by {owner.agency} now; only its owner can say {said.event}"
    back = said.event in (MoveKind.TRANSFER, MoveKind.RETURN) and said.to is not None
    if back and hops.passed((str(said.to), said.office)):
        cure = "say DONE once it is completed, or ask the operator (REFUSE)"
        return f"{said.to} passed {matter.ref} on already; {cure}"
    return None


def _told(matter: Matter, by: str, office: str | None) -> bool:
    return any(part.agency == by and office in (None, part.office) and part.active for part in matter.parts)


def _has_part(matter: Matter, by: str, office: str | None) -> bool:
    return any(
        part.agency == by and office in (None, part.office) and part.role is Role.ACTION and part.active
        for part in matter.parts
    )


def _measure(life: Life, matter: Matter, said: Said, by: str) -> str | None:
    """Whether a measure about the PPK may be taken: by whom, after which states."""
    way, state = MEASURES[MoveKind(said.event)], state_of(life.events, matter.ref)
    if by != OPERATOR and Agency(by) not in way.speakers:
        return f"{said.event} is said by {' or '.join(sorted(way.speakers))}, not by {by}"
    if state not in way.after:
        return f"{matter.ref} is in state {state} ({STATES[state].id}), where {said.event} is impossible"
    if said.event is MoveKind.UNBLOCK and not life.hops[matter.ref].blocked:
        return f"{matter.ref} is not blocked; there is nothing to unblock"
    if said.event is MoveKind.RECUSE and life.hops[matter.ref].recused:
        return f"the PPK of {matter.ref} is recused already"
    return None


def _void(said: Said, by: str, steps: dict[int, str]) -> str | None:
    if said.step is None or said.step not in steps:
        return "step is missing or unknown; write the number of the step that was wrong"
    if by not in (OPERATOR, steps[said.step]):
        return f"step {said.step} was said by {steps[said.step]}; only they or the operator take it back"
    return None
