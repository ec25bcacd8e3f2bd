"""What no single line of a rulebook can show: order of versions, lives of sources, exceptions that exist and end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from itertools import pairwise

from services.routing.core.rules import Citation, Rule

Finding = tuple[str, str]
"""Where a mistake stands (`file:line:column`) and what it is."""


def faults_in(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Every mistake of a whole body of rules."""
    yield from _names(rules)
    for rule in rules:
        yield from _history(rule)
        yield from _lives(rule)
    yield from _cycles(rules)


def _names(rules: Sequence[Rule]) -> Iterator[Finding]:
    counted = Counter(rule.id for rule in rules)
    for rule in rules:
        if counted[rule.id] > 1:
            yield rule.where, f"rule '{rule.id}' stands {counted[rule.id]} times; give each rule an own id"
        for name in rule.exception_to:
            if name not in counted:
                near = get_close_matches(name, list(counted), 1, 0.6)
                cure = f"did you mean '{near[0]}'?" if near else "name a rule that exists"
                yield rule.where, f"exception to unknown rule '{name}'; {cure}"


def _history(rule: Rule) -> Iterator[Finding]:
    if not rule.history:
        yield rule.where, f"rule '{rule.id}' has no history; add a version"
    for earlier, later in pairwise(rule.history):
        if later.since <= earlier.since:
            yield (
                later.where,
                f"version from {later.since} of '{rule.id}' does not follow {earlier.since};"
                " order the history by day",
            )


def _lives(rule: Rule) -> Iterator[Finding]:
    for number, version in enumerate(rule.history):
        since, until = rule.interval(number)
        for citation in version.basis:
            problem = _outside(
                citation, since, None if version.repealed else until, ends=not version.repealed
            )
            if problem and not version.expected:
                yield version.where, f"'{rule.id}' from {since} {problem}"


def _outside(citation: Citation, since: date, until: date | None, *, ends: bool) -> str | None:
    source = citation.source
    if since < source.in_force_from:
        return f"cites {source.key}, in force only from {source.in_force_from}; cite what was in force or begin later"
    if source.until and (since >= source.until or (ends and (until is None or until > source.until))):
        successor = f" (superseded by {source.superseded_by})" if source.superseded_by else ""
        return (
            f"cites {source.key}, not in force since {source.until}{successor}; add a version from that day"
        )
    return None


def _cycles(rules: Sequence[Rule]) -> Iterator[Finding]:
    targets = {rule.id: rule.exception_to for rule in rules}
    for rule in rules:
        reached, waiting = set[str](), list(rule.exception_to)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += targets.get(name, ())
        if rule.id in reached:
            yield rule.where, f"'{rule.id}' is an exception to itself through others; remove one exception_to"
