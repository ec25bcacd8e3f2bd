"""Why an agency is not assigned: the nearest rule, and exactly which facts stood in its way."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.codes import Agency
from contracts.decision import NotAssigned, Obstacle
from services.routing.core.engine import Hit
from services.routing.core.rules import Rule, Rulebook
from services.routing.core.vocabulary import INDEX, Situation

_CLOCK = {"incident": "occurred_on", "handling": "handled_on"}
_FAR = {"occurred_on": 2, "handled_on": 2, "decision": 3}


@dataclass(frozen=True)
class _Way:
    """One version of one rule by which an agency could be assigned."""

    rule: Rule
    since: date
    until: date | None
    manual: bool

    def obstacles(
        self, situation: Situation, days: dict[str, date], defeated: tuple[Hit, ...]
    ) -> tuple[Obstacle, ...]:
        """What stood in this way; never empty for an agency that is not assigned."""
        found = [
            _fact(fact, situation[INDEX[fact]], tuple(sorted(values)))
            for fact, values in self.rule.given.items()
            if situation[INDEX[fact]] not in values
        ]
        day = days[self.rule.by]
        if day < self.since or (self.until is not None and day >= self.until):
            found.append(_fact(_CLOCK[self.rule.by], str(day), (_span(self.since, self.until),)))
        if not found:
            exceptions = sorted(
                {name for hit in defeated if hit.rule is self.rule for name in hit.defeated_by}
            )
            found += [_fact("exception", name, ("not applicable",)) for name in exceptions]
        if not found and self.manual:
            found.append(_fact("decision", "OPEN", ("a person decides",)))
        return tuple(found)


class WhyNot:
    """The ways to each agency, gathered once for a rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._ways: dict[Agency, list[_Way]] = defaultdict(list)
        for rule in book.rules:
            for agency in Agency:
                self._ways[agency] += _ways(rule, agency)

    def because(
        self,
        agency: Agency,
        situations: tuple[Situation, ...],
        days: dict[str, date],
        defeated: tuple[Hit, ...],
    ) -> NotAssigned:
        """The rule that came nearest to assigning `agency` in any situation; ties go to the earlier rule."""
        ways = self._ways[agency]
        if not ways:
            silent = _fact("rulebook", "SILENT", ("a rule for this agency",))
            return NotAssigned(agency=agency, rule=None, because=(silent,))
        far = min(_distance(way, situation, days) for way in ways for situation in situations)
        near = [(way, s) for way in ways for s in situations if _distance(way, s, days) == far]
        told = [(way.obstacles(situation, days, defeated), way.rule.id) for way, situation in near]
        obstacles, rule_id = min(told, key=_weight)
        return NotAssigned(agency=agency, rule=rule_id, because=obstacles)


def _ways(rule: Rule, agency: Agency) -> list[_Way]:
    """The times in which a rule names an agency; versions that follow each other are one time."""
    found: list[_Way] = []
    for number, version in enumerate(rule.history):
        mine = [assign for assign in version.assigns if version.speaks and assign.agency is agency]
        if not mine:
            continue
        since, until = rule.interval(number)
        manual = any(assign.manual for assign in mine)
        if found and found[-1].until == since and found[-1].manual == manual:
            since = found.pop().since
        found.append(_Way(rule, since, until, manual))
    return found


def _distance(way: _Way, situation: Situation, days: dict[str, date]) -> int:
    """How many facts stood in a way, a date among them; at least one: an exception, or a decision not taken yet."""
    day = days[way.rule.by]
    missed = sum(situation[INDEX[fact]] not in values for fact, values in way.rule.given.items())
    return max(1, missed + (day < way.since or (way.until is not None and day >= way.until)))


def _weight(told: tuple[tuple[Obstacle, ...], str]) -> tuple[int, int]:
    """Among ways as near as each other, a fact of the case is nearer than a date or a missing decision."""
    return len(told[0]), sum(_FAR.get(obstacle.fact, 1) for obstacle in told[0])


def _span(since: date, until: date | None) -> str:
    return f"{since}.." if until is None else f"{since}..{until - timedelta(days=1)}"


def _fact(fact: str, found: str, needs: tuple[str, ...]) -> Obstacle:
    return Obstacle(fact=fact, is_=found, needs=needs)
