"""Decides each step of a case again, from its report and from all that was said until then, by the engine."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from contracts import regions
from contracts.facts import ReportFacts
from contracts.steps import Said
from services.cli.verify import law
from services.cli.verify.digests import digest
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.history import Case, Person, Version
from services.cli.verify.logbook import Fact
from services.cli.verify.slimming import slim
from services.routing.core.decide import Judge
from services.routing.core.life import Life, Step, life_of

_COUNTED = ("dues", "alarm")
_COMPARED = ("stage", "class", "state", "owner", "parts", "marks", "questions", *_COUNTED)
Persons = dict[str, Person]


def check_steps(
    case: Case, facts: ReportFacts, opening: Judge | None, judges: Callable[[str], Iterable[Judge]]
) -> Iterator[Finding]:
    """What the opening and each step leave every person in: route, state, owner, parts, marks and limits.

    A step names its rulebook, but not the calendar its worker had: it is right if one that was ever in force gives it.
    How a question is put are words, which later versions may choose better. Of a RECKON the limits are left out: when
    exactly its worker looked is not on record, so `due_checks` counts them by the calendar they name; nothing else may
    have changed. A case whose steps have a gap is left to the finding that says so.
    """
    versions, told = case.versions, list[Step]()
    if [version.number for version in versions] != list(range(len(versions))):
        return
    if opening and not any(person.get("old") for person in versions[0].persons.values()):
        yield from _compared(case, versions[0], "the opening", _lives(case, facts, told, [opening]))
    for fact, before, after in zip(case.of("step"), versions, versions[1:], strict=False):
        told.append(_step(fact))
        name = f"step {after.number}"
        if fact.data["said"]["event"] == law.RECKONED:
            names = [name for name in _COMPARED if name not in _COUNTED]
            yield from _differing(case, name, after.persons, before.persons, names)
            yield from _moved(case, name, fact.data["said"]["moved"], before, after)
        else:
            lives = _lives(case, facts, told, judges(fact.data["rulebook"]["digest"]))
            yield from _compared(case, after, name, lives)


def _moved(
    case: Case, name: str, said: list[dict[str, Any]], before: Version, after: Version
) -> Iterator[Finding]:
    """A RECKON tells of every limit that came out on another day, and of no other; what it began with stays."""
    was, now = (dict(_limits(version.persons)) for version in (before, after))
    wanted = [(key[:3], was[key], now[key]) for key in was if key in now and was[key] != now[key]]
    told = [((one["person"], one["agency"], one["office"]), one["was"], one["now"]) for one in said]
    if was.keys() != now.keys() or sorted(wanted, key=str) != sorted(told, key=str):
        says = f"{name} counts other limits again than those it tells of"
        yield Finding("stepped-otherwise", case.case_id, says)


def _limits(persons: Persons) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The last day of each limit and alarm by whose it is and since when it runs."""
    for ref, person in persons.items():
        for due in person["dues"]:
            yield (ref, due["agency"], due["office"], due["since"]), due["last_day"]
        if alarm := person.get("alarm"):
            yield (ref, "OPERATOR", None, alarm["since"]), alarm["last_day"]


def _step(fact: Fact) -> Step:
    data = fact.data
    return Step(data["number"], fact.at, data["by"], data["office"], Said.model_validate(data["said"]))


def _lives(
    case: Case, facts: ReportFacts, told: list[Step], judges: Iterable[Judge]
) -> Iterator[Persons | Exception]:
    """What each judge makes of the steps told so far, or what kept it from that."""
    record = case.of("decided")[0].data
    zone, opened = regions.zone_of(record["region"]), date.fromisoformat(record["decision"]["handled_on"])
    days = [step.at.astimezone(zone).date() for step in told]
    for judge in judges:
        try:
            yield _persons(life_of(facts, opened, days, told, judge))
        except BROKEN as broken:
            yield broken


def _persons(life: Life) -> Persons:
    dumped = [matter.model_dump(mode="json", by_alias=True) for matter in life.matters]
    return {person["ref"]: person for person in slim({"persons": dumped})["persons"]}


def _compared(
    case: Case, version: Version, name: str, lives: Iterator[Persons | Exception]
) -> Iterator[Finding]:
    """The findings of the first judge, unless another one has none."""
    first: list[Finding] | None = None
    for life in lives:
        if isinstance(life, Exception):
            says = f"{name} cannot be decided again ({type(life).__name__})"
            found = [Finding("stepped-otherwise", case.case_id, says)]
        else:
            found = list(_differing(case, name, version.persons, life, _COMPARED))
        first = found if first is None or not found else first
        if not found:
            return
    yield from first or ()


def _differing(
    case: Case, name: str, recorded: Persons, wanted: Persons, names: Iterable[str]
) -> Iterator[Finding]:
    for ref in sorted(recorded.keys() | wanted.keys()):
        one, other = recorded.get(ref, {}), wanted.get(ref, {})
        if one.get("digest") == other.get("digest"):
            continue
        differing = [what for what in names if _said(one.get(what)) != _said(other.get(what))]
        if differing:
            says = f"{name} leaves {ref} with other {', '.join(differing)} than it has when that is decided again"
            yield Finding("stepped-otherwise", case.case_id, says)


def _said(value: Any) -> str:
    return digest(_codes(value) or None)


def _codes(value: Any) -> Any:
    """Questions without their words."""
    asked = isinstance(value, list) and all(isinstance(one, dict) and "question" in one for one in value)
    return [one["rule"] for one in value] if asked else value
