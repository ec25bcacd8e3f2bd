"""Where one person's matter stands: its state, owner, parts, limits, marks and questions."""

from datetime import date
from typing import NamedTuple

from contracts.codes import Agency, EmployerKind, ProgressEvent, Role, Status
from contracts.decision import Admissibility, Assignment, PersonDecision, Review
from contracts.facts import PersonFacts, ReportFacts
from contracts.steps import OPERATOR, Heard, Matter, MoveKind, Said
from services.routing.core.decide import Judge
from services.routing.core.hops import Body, Hops
from services.routing.core.identity import QUESTION, Naming
from services.routing.core.lifecycle import START, STATES, WAYS
from services.routing.core.limits import alarm_of, dues_of
from services.routing.core.owning import owner_of
from services.routing.core.parts import LIFT_BLOCK, acts, parts_of
from services.routing.core.situation import as_identified
from services.routing.core.superiors import ppk_is_reported, superiors_of


class History(NamedTuple):
    """What counts of what was said about one person; days are those of the place, `last_on` the last one spoken on."""

    opened_on: date
    last_on: date
    events: tuple[Heard, ...]
    said: tuple[tuple[Said, Body], ...]
    hops: Hops
    naming: Naming

    def heard(self, event: ProgressEvent) -> bool:
        return any(other.event is event for other in self.events)


def state_of(events: tuple[Heard, ...], ref: str) -> str:
    """The state of a person after the events about it, in their order."""
    state = START
    for event in events:
        if event.person in (None, ref):
            state = WAYS[event.trigger].to or state
    return state


UNFOUNDED = Review(
    rule="case.unfounded",
    question="Langkah yang mendasari langkah terakhir sudah ditarik (VOID). Apakah langkah terakhir tetap berlaku? Yang "
    "keliru menarik langkahnya juga. / The step on which the last one rests was taken back (VOID). Does the last one still "
    "hold? Who is wrong takes the own step back too.",
)


def is_founded(events: tuple[Heard, ...], ref: str) -> bool:
    """Whether each step about a person could be said after those before it that still stand."""
    state = START
    for event in events:
        if event.person in (None, ref):
            way = WAYS[event.trigger]
            if state not in way.after:
                return False
            state = way.to or state
    return True


def matter_of(
    decided: PersonDecision, facts: ReportFacts, admissibility: Admissibility, history: History, judge: Judge
) -> Matter:
    """The matter of one person after all that was said; `decided` is the decision on the day of the last step."""
    hops, events = history.hops, history.events
    reported = next(person for person in facts.persons if person.ref == decided.ref)
    person = as_identified(reported, events)
    superiors, questions = _superiors(facts, person, decided, hops)
    parts = parts_of(decided.assignments, history.said, events, hops, superiors)
    acting = [part for part in parts if acts(part)]
    heard = state_of(events, decided.ref)
    closed = not acting and (STATES[heard].closed or _was_done(history))
    owner = None if closed else owner_of(acting, events, hops, heard)
    queued = owner is not None and owner.agency == OPERATOR
    return Matter(
        ref=decided.ref,
        stage=decided.stage,
        class_=decided.class_,
        state=_ended(heard, history) if closed else _shown(heard, parts, hops),
        owner=owner,
        parts=parts,
        dues=()
        if hops.returned
        else dues_of(acting, facts, history.opened_on, events, decided.ref, judge.workdays, hops.pauses),
        marks=_marks(person, parts, admissibility, history, recused=superiors is not None),
        questions=(
            *questions,
            *((QUESTION,) if history.naming is Naming.DISPUTED else ()),
            *(() if is_founded(events, decided.ref) else (UNFOUNDED,)),
        ),
        alarm=alarm_of(history.last_on, facts.region, judge.workdays) if queued else None,
    )


def _superiors(
    facts: ReportFacts, person: PersonFacts, decided: PersonDecision, hops: Hops
) -> tuple[tuple[Assignment, ...] | None, tuple[Review, ...]]:
    """Who stands in for the PPK; None where it may act itself."""
    has_ppk = any(part.agency is Agency.PPK and part.role is Role.ACTION for part in decided.assignments)
    if not has_ppk or not (hops.recused or ppk_is_reported(facts, person)):
        return None, ()
    above, question = superiors_of(facts, person)
    return above, (question,)


def _was_done(history: History) -> bool:
    return any(said.event is MoveKind.DONE for said, _ in history.said)


def _ended(heard: str, history: History) -> str:
    """The state of a closed matter."""
    if STATES[heard].closed:
        return heard
    if history.heard(ProgressEvent.LEFT_SERVICE):
        return "LEFT"
    return "REJECTED" if heard == "NOT_VERIFIED" else "DONE"


def _shown(heard: str, parts: tuple[Assignment, ...], hops: Hops) -> str:
    """The state of an open matter: that of its progress, unless its holders or those who press a PPK say more."""
    if hops.returned:
        return "RETURNED"
    if hops.holder == (OPERATOR, None):
        return "REFUSED"
    if any(part.rule == LIFT_BLOCK for part in parts):
        return "BLOCKED"
    return hops.measure if hops.measure and heard == "OVERDUE" else heard


def _marks(
    person: PersonFacts,
    parts: tuple[Assignment, ...],
    admissibility: Admissibility,
    history: History,
    *,
    recused: bool,
) -> tuple[str, ...]:
    known = person.status is not Status.UNKNOWN and person.employer is not EmployerKind.UNKNOWN
    crime = any(acts(part) and part.agency is Agency.GAKKUMDU for part in parts) or any(
        event.trigger == "GAKKUMDU_CONCLUDED:ELEMENTS_MET" for event in history.events
    )
    found = {
        "COMPLETE": not admissibility.defects,
        "IDENTIFIED": history.heard(ProgressEvent.IDENTIFIED),
        "UNIDENTIFIED": not known,
        "CANDIDATE": history.naming is Naming.CANDIDATE,
        "DISPUTED": history.naming is Naming.DISPUTED,
        "CRIME": crime,
        "MOVED": history.heard(ProgressEvent.TRANSFERRED),
        "LEFT": history.heard(ProgressEvent.LEFT_SERVICE),
        "RECUSED": recused,
    }
    return tuple(mark for mark, holds in found.items() if holds)
