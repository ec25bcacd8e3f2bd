"""Why an agency is not assigned: the nearest rule, and exactly which facts stood in its way."""

from datetime import date, timedelta

from contracts.codes import Agency
from contracts.decision import NotAssigned, Obstacle
from services.routing.core.engine import Hit
from services.routing.core.rules import Rule, Rulebook
from services.routing.core.vocabulary import INDEX, Situation

_CLOCK = {"incident": "occurred_on", "handling": "handled_on"}


def why_not(
    agency: Agency,
    book: Rulebook,
    situations: tuple[Situation, ...],
    days: dict[str, date],
    defeated: tuple[Hit, ...],
) -> NotAssigned:
    """The rule that came nearest to assigning `agency` in any of the situations; ties go to the earlier rule."""
    candidates = [
        (obstacles, rule.id)
        for rule in book.rules
        for number, version in enumerate(rule.history)
        if version.speaks and any(assign.agency is agency for assign in version.assigns)
        for situation in situations
        for obstacles in [_obstacles(agency, rule, number, situation, days, defeated)]
    ]
    if not candidates:
        return NotAssigned(
            agency=agency, rule=None, because=(_fact("rulebook", "SILENT", ("a rule for this agency",)),)
        )
    obstacles, rule_id = min(candidates, key=lambda candidate: _distance(candidate[0]))
    return NotAssigned(agency=agency, rule=rule_id, because=obstacles)


def _obstacles(
    agency: Agency,
    rule: Rule,
    number: int,
    situation: Situation,
    days: dict[str, date],
    defeated: tuple[Hit, ...],
) -> tuple[Obstacle, ...]:
    found = [
        _fact(fact, situation[INDEX[fact]], tuple(sorted(values)))
        for fact, values in rule.given.items()
        if situation[INDEX[fact]] not in values
    ]
    since, until = rule.interval(number)
    day = days[rule.by]
    if day < since or (until is not None and day >= until):
        found.append(_fact(_CLOCK[rule.by], str(day), (_span(since, until),)))
    if not found:
        exceptions = sorted({name for hit in defeated if hit.rule is rule for name in hit.defeated_by})
        found += [_fact("exception", name, ("not applicable",)) for name in exceptions]
    if not found and any(assign.manual for assign in rule.history[number].assigns if assign.agency is agency):
        found.append(_fact("decision", "OPEN", ("a person decides",)))
    return tuple(found)


def _distance(obstacles: tuple[Obstacle, ...]) -> tuple[int, int]:
    """Fewest obstacles first; among equals a fact of the case is nearer than a date or a missing decision."""
    weight = {"occurred_on": 2, "handled_on": 2, "decision": 3}
    return len(obstacles), sum(weight.get(obstacle.fact, 1) for obstacle in obstacles)


def _span(since: date, until: date | None) -> str:
    return f"{since}.." if until is None else f"{since}..{until - timedelta(days=1)}"


def _fact(fact: str, found: str, needs: tuple[str, ...]) -> Obstacle:
    return Obstacle(fact=fact, is_=found, needs=needs)
