"""The life of a case: what its steps so far mean for each person, and who must act next. Pure; it runs on paper."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from contracts.codes import EmployerKind, PostKind, ProgressEvent, Status
from contracts.decision import Decision
from contracts.facts import PersonFacts, ReportFacts
from contracts.report import Employer
from contracts.steps import Heard, Link, Matter, MoveKind, Said
from services.routing.core.decide import Judge
from services.routing.core.hops import Hops
from services.routing.core.identity import counting, naming_of
from services.routing.core.lifecycle import START, STATES
from services.routing.core.linking import as_duplicate, link_of
from services.routing.core.owning import owner_of
from services.routing.core.parts import acts, homes_of
from services.routing.core.standing import History, matter_of, state_of


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
    What was closed stays as it was decided on the day of the last progress about it. A RECKON only says how the limits
    that ran were counted again: nothing was handled on its day.
    """
    spoken = [n for n, step in enumerate(steps) if step.said.event is not MoveKind.RECKON]
    steps, zone_days = [steps[n] for n in spoken], [zone_days[n] for n in spoken]
    standing = [step for step in steps if step.number not in _voided(steps)]
    effective = counting(standing)
    events = tuple(_heard(step.said) for step in effective if isinstance(step.said.event, ProgressEvent))
    days = _handled(facts, opened_on, zone_days, steps, events)
    decisions = {day: judge.decide(facts, day, events) for day in set(days.values())}
    decision = decisions[max(days.values())]
    histories = {
        person.ref: _history(
            person,
            (opened_on, _last_on(person.ref, opened_on, steps, zone_days)),
            events,
            standing,
            effective,
            homes_of(decisions[days[person.ref]].persons[n].assignments),
        )
        for n, person in enumerate(facts.persons)
    }
    matters = tuple(
        matter_of(decisions[days[ref]].persons[n], facts, decision.admissibility, history, judge)
        for n, (ref, history) in enumerate(histories.items())
    )
    hops = {ref: history.hops for ref, history in histories.items()}
    link = link_of(standing)
    return Life(decision, tuple(map(as_duplicate, matters)) if link else matters, events, hops, link)


def _handled(
    facts: ReportFacts,
    opened_on: date,
    zone_days: Sequence[date],
    steps: Sequence[Step],
    events: tuple[Heard, ...],
) -> dict[str, date]:
    """The day on which each person's matter was handled last."""
    last = max([opened_on, *zone_days])
    days = dict.fromkeys((person.ref for person in facts.persons), last)
    for ref in days:
        if STATES[state_of(events, ref)].closed:
            told = [n for n, s in enumerate(steps) if isinstance(s.said.event, ProgressEvent)]
            days[ref] = max(zone_days[n] for n in told if steps[n].said.person in (None, ref))
    return days


def _last_on(ref: str, opened_on: date, steps: Sequence[Step], zone_days: Sequence[date]) -> date:
    """The last day on which anybody spoke about a person, also if it was taken back."""
    about = [day for step, day in zip(steps, zone_days, strict=True) if step.said.person in (None, ref)]
    return max(about, default=opened_on)


def _history(
    person: PersonFacts,
    days: tuple[date, date],
    events: tuple[Heard, ...],
    standing: Sequence[Step],
    effective: Sequence[Step],
    homes: dict[str, str],
) -> History:
    """What was said about one person and stands; `days` are that of the opening and the last one spoken on."""
    ref = person.ref
    about = _about(effective, ref)
    return History(
        opened_on=days[0],
        last_on=days[1],
        events=tuple(e for e in events if e.person in (None, ref)),
        said=tuple((step.said, (step.by, step.office)) for step in about),
        hops=_hops(about, homes),
        naming=naming_of(_about(standing, ref), about),
    )


def opening(decision: Decision) -> tuple[Matter, ...]:
    """The matters of a decision alone, for records from before cases had a life; their limits are not known."""
    return tuple(
        Matter(
            ref=person.ref,
            stage=person.stage,
            class_=person.class_,
            state=START,
            owner=owner_of([part for part in person.assignments if acts(part)], (), Hops(), START),
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


def _hops(about: Iterable[Step], homes: dict[str, str]) -> Hops:
    hops = Hops(homes)
    for step in about:
        hops.hear(step.said, (step.by, step.office))
    return hops
