"""The slow, obvious evaluator: what the rules mean, written as plainly as possible. The fast one is compared with it."""

from datetime import date

from services.routing.core.rules import Rule, Rulebook, Version
from services.routing.core.vocabulary import INDEX, Situation


def holds(rule: Rule, situation: Situation) -> bool:
    """Whether every condition of a rule accepts the situation."""
    return all(situation[INDEX[fact]] in values for fact, values in rule.given.items())


def in_force(rule: Rule, incident: date, handling: date) -> Version | None:
    """The version that speaks on the rule's own clock."""
    return rule.version_on(incident if rule.by == "incident" else handling)


def applied(book: Rulebook, situation: Situation, incident: date, handling: date) -> list[str]:
    """The ids of the rules that decide, in rulebook order: those that hold, less those a surviving exception defeats."""
    matched = [rule for rule in book.rules if in_force(rule, incident, handling) and holds(rule, situation)]
    standing = set[str]()
    for rule in matched:
        if not _defeated(rule, matched):
            standing.add(rule.id)
    return [rule.id for rule in book.rules if rule.id in standing]


def _defeated(rule: Rule, matched: list[Rule]) -> bool:
    return any(rule.id in other.exception_to and not _defeated(other, matched) for other in matched)
