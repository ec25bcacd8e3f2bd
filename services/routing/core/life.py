"""The life of a case: what its steps so far mean for each person, and who must act next. Pure; it runs on paper."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from contracts.codes import OPENED, Agency, EmployerKind, PostKind, ProgressEvent, Role, Status
from contracts.decision import Assignment, Decision, PersonDecision
from contracts.facts import ReportFacts
from contracts.report import Employer
from contracts.steps import OPERATOR, Heard, Link, Matter, MoveKind, Owner, Said
from services.routing.core.decide import Judge
from services.routing.core.hops import TRANSFERRED_RULE, Hops
from services.routing.core.lifecycle import START, STATES, WAYS
from services.routing.core.limits import dues_of
from services.routing.core.linking import as_duplicate, link_of

SILENT = "PPK_CONCLUDED:SILENT"


class Step(NamedTuple):
    """What one body said: `by` is an agency, OPERATOR or NETRAL; `at` is UTC; numbers count from 1 without a gap."""

    number: int
    at: datetime
    by: str
    office: str | None
    said: Said


class Life(NamedTuple):
    """A case as its steps leave it; `events` are those that count, `decision` the one they give."""

    decision: Decision
    matters: tuple[Matter, ...]
    events: tuple[Heard, ...]
    hops: dict[str, Hops]
    link: Link | None = None


def life_of(
    facts: ReportFacts, opened_on: date, zone_days: Sequence[date], steps: Sequence[Step], judge: Judge
) -> Life:
    """What a case is after its steps; `zone_days` are their days at the place of the event.

    The day of handling is that of the last step, never before the opening: competence follows the day of handling.
    """
    standing = [step for step in steps if step.number not in _voided(steps)]
    events = _counting(standing)
    handled_on = max([opened_on, *zone_days])
    decision = judge.decide(facts, handled_on, events)
    hops = {person.ref: _hops(person.ref, standing) for person in facts.persons}
    matters = tuple(
        _matter(person, facts, opened_on, events, standing, hops[person.ref], judge)
        for person in decision.persons
    )
    link = link_of(standing)
    return Life(decision, tuple(map(as_duplicate, matters)) if link else matters, events, hops, link)


def opening(decision: Decision) -> tuple[Matter, ...]:
    """The matters of a decision alone, for records from before cases had a life; their limits are not known."""
    return tuple(
        Matter(
            ref=person.ref,
            stage=person.stage,
            class_=person.class_,
            state=START,
            owner=_owner([part for part in person.assignments if _acts(part)], [], Hops()),
            parts=person.assignments,
            dues=(),
        )
        for person in decision.persons
    )


def _voided(steps: Sequence[Step]) -> set[int]:
    """The steps taken back; taking a VOID back makes its step stand again."""
    gone: set[int] = set()
    for step in reversed(steps):
        if step.said.event is MoveKind.VOID and step.number not in gone and step.said.step:
            gone.add(step.said.step)
    return gone


def _counting(steps: Sequence[Step]) -> tuple[Heard, ...]:
    """The progress that counts: an identity only once two bodies say the same (four eyes)."""
    found: list[Heard] = []
    said_by: dict[Said, set[tuple[str, str | None]]] = {}
    for step in steps:
        if not isinstance(step.said.event, ProgressEvent):
            continue
        if step.said.event is ProgressEvent.IDENTIFIED:
            same = step.said.model_copy(update={"on": date.min})
            speakers = said_by.setdefault(same, set())
            speakers.add((step.by, step.office))
            if len(speakers) != 2:
                continue
        found.append(_heard(step.said))
    return tuple(found)


def _heard(said: Said) -> Heard:
    employer = EmployerKind(said.employer) if said.employer else None
    return Heard(
        event=ProgressEvent(said.event),
        person=said.person,
        result=said.result,
        on=said.on,
        status=Status(said.status) if said.status else None,
        post=said.post,
        post_kind=PostKind(said.post_kind) if said.post_kind else None,
        employer=Employer(kind=employer, region=said.employer_region) if employer else None,
        by_number=said.numbered,
    )


def _about(steps: Iterable[Step], ref: str) -> list[Step]:
    return [step for step in steps if step.said.person in (None, ref)]


def _hops(ref: str, steps: Sequence[Step]) -> Hops:
    hops = Hops()
    for step in _about(steps, ref):
        hops.hear(step.said, (step.by, step.office))
    return hops


def state_of(events: Iterable[Heard], ref: str) -> str:
    """The state of a person after the events about it, in their order."""
    state = START
    for event in events:
        if event.person in (None, ref):
            state = WAYS[event.trigger].to or state
    return state


def _matter(
    person: PersonDecision,
    facts: ReportFacts,
    opened_on: date,
    events: tuple[Heard, ...],
    steps: Sequence[Step],
    hops: Hops,
    judge: Judge,
) -> Matter:
    state = state_of(events, person.ref)
    parts = _parts(person, _about(steps, person.ref), hops)
    acting = [part for part in parts if _acts(part)]
    finished = any(step.said.event is MoveKind.DONE for step in _about(steps, person.ref))
    closed = (STATES[state].closed or finished) and not acting
    if closed and not STATES[state].closed:
        state = "DONE"
    owner = None if closed else _owner(acting, [e for e in events if e.person in (None, person.ref)], hops)
    running = () if hops.returned else acting
    dues = dues_of(running, facts, opened_on, events, person.ref, judge.workdays)
    return Matter(
        ref=person.ref,
        stage=person.stage,
        class_=person.class_,
        state=state,
        owner=owner,
        parts=parts,
        dues=dues,
    )


def _parts(person: PersonDecision, steps: list[Step], hops: Hops) -> tuple[Assignment, ...]:
    """All parts of a person; what its holder did is not active, and one who took the file over has a part too."""
    done = {
        (step.by, step.office)
        for number, step in enumerate(steps)
        if step.said.event is MoveKind.DONE
        and not any(isinstance(later.said.event, ProgressEvent) for later in steps[number:])
    }
    parts = [
        part.model_copy(update={"active": False})
        if part.role is Role.ACTION and {(part.agency, part.office), (part.agency, None)} & done
        else part
        for part in person.assignments
    ]
    holder = hops.holder
    if (
        holder
        and holder[0] != OPERATOR
        and holder not in done | {(p.agency, p.office) for p in parts if _acts(p)}
    ):
        parts.append(_taken_over(Agency(holder[0]), holder[1]))
    if hops.asked and hops.asked[0] != OPERATOR:
        asked = _taken_over(Agency(hops.asked[0]), hops.asked[1])
        parts.append(asked.model_copy(update={"role": Role.INFORMATION}))
    return tuple(parts)


def _acts(part: Assignment) -> bool:
    return bool(part.active) and part.role is Role.ACTION


def _taken_over(agency: Agency, office: str | None) -> Assignment:
    return Assignment(
        agency=agency,
        office=office,
        role=Role.ACTION,
        when=OPENED,
        rule=TRANSFERRED_RULE,
        basis=(),
        deadline=None,
        active=True,
    )


def _owner(acting: list[Assignment], events: list[Heard], hops: Hops) -> Owner:
    """Exactly one body: who took the file over, else the part that was triggered last.

    Of parts triggered together the first of the rulebook leads, but of those that press a silent PPK the last: it is the
    higher one. The crime track comes after all others.
    """
    if hops.holder:
        agency, office = hops.holder
        why = "returned" if hops.returned else "refused" if agency == OPERATOR else TRANSFERRED_RULE
        return Owner.model_validate({"agency": agency, "office": office, "why": why})
    if not acting:
        return Owner(agency="OPERATOR", office=None, why="no rule obliges an agency to act now")
    triggers = [OPENED, *(event.trigger for event in events)]

    def rank(numbered: tuple[int, Assignment]) -> tuple[bool, int, int]:
        number, part = numbered
        happened = max((n for n, trigger in enumerate(triggers) if trigger == part.when), default=-1)
        return part.agency is not Agency.GAKKUMDU, happened, number if part.when == SILENT else -number

    _, lead = max(enumerate(acting), key=rank)
    return Owner(agency=lead.agency, office=lead.office, why=lead.rule)
