"""Explains a decision in sentences, Indonesian first, English second: which rule, on which facts, and why not others."""

from collections.abc import Iterator
from datetime import date

from contracts.decision import NotAssigned, PersonDecision
from contracts.facts import ReportFacts
from contracts.progress import Progress
from services.routing.core.decide import Judge
from services.routing.core.engine import Hit
from services.routing.core.route import Asked
from services.routing.core.rules import Both
from services.routing.core.vocabulary import INDEX, Situation
from services.routing.rules.asking import Part, outlook
from services.routing.rules.sentences import condition, day, listed


def explain(
    judge: Judge, facts: ReportFacts, handled_on: date, progress: tuple[Progress, ...] | None = None
) -> str:
    """The explanation of a whole decision as lines of text."""
    questions = judge.questions(facts, handled_on, progress)
    decision = judge.decide(facts, handled_on, progress)
    lines = [f"{decision.rulebook.id} {decision.rulebook.version} ({decision.rulebook.digest[:19]}…)"]
    for (ref, asked), person in zip(questions, decision.persons, strict=True):
        lines += ["", f"== {ref}: {person.stage}, {person.class_}"]
        lines += [line for said in _person(judge, asked, person) for line in (said.id, f"  ({said.en})")]
    return "\n".join(lines)


def _person(judge: Judge, asked: Asked, person: PersonDecision) -> Iterator[Both]:
    for situation, hits in zip(asked.situations, judge.reasoner.hits(asked), strict=True):
        act = situation[INDEX["act"]]
        yield Both(f"Perbuatan {act}:", f"Act {act}:")
        for hit in hits.applied:
            yield _applied(hit, situation, asked)
        for hit in hits.defeated:
            yield _defeated(hit)
        yield from _unknown(judge, situation, asked)
    for absent in person.not_assigned:
        yield _absent(absent)
    for review in person.review:
        yield Both(f"? {review.question.split(' / ')[0]}", review.question.split(" / ")[-1])


def _applied(hit: Hit, situation: Situation, asked: Asked) -> Both:
    needed = [condition(fact, frozenset({situation[INDEX[fact]]})) for fact in hit.rule.given]
    because = Both(", ".join(f.id for f in needed), ", ".join(f.en for f in needed))
    clock = day(asked.occurred_on if hit.rule.by == "incident" else asked.handled_on)
    says, basis = _outcome(hit), ", ".join(map(str, hit.version.basis))
    since = day(hit.version.since)
    return Both(
        f"- {hit.rule.title.id} [{hit.rule.id}, {hit.rule.row}]: {says}. Karena {because.id or 'berlaku selalu'}, "
        f"dan pada {clock.id} berlaku versi sejak {since.id}. Dasar: {basis}.",
        f"{hit.rule.title.en}: {says}. Because {because.en or 'it always holds'}, and on {clock.en} the version "
        f"since {since.en} is in force. Basis: {basis}.",
    )


def _outcome(hit: Hit) -> str:
    parts = [f"{a.agency} {a.role} @ {a.when}" + (" (?)" if a.manual else "") for a in hit.version.assigns]
    parts += [str(hit.version.class_)] if hit.version.class_ else []
    return "; ".join(parts) or "?"


def _defeated(hit: Hit) -> Both:
    names = ", ".join(hit.defeated_by)
    return Both(
        f"- {hit.rule.title.id} [{hit.rule.id}] cocok, tetapi dikesampingkan oleh {names}.",
        f"{hit.rule.title.en} matches, but gives way to {names}.",
    )


def _absent(absent: NotAssigned) -> Both:
    ids = [f"{o.fact} adalah {o.is_}, perlu {listed(list(o.needs), 'atau')}" for o in absent.because]
    ens = [f"{o.fact} is {o.is_}, needs {listed(list(o.needs), 'or')}" for o in absent.because]
    rule = f" [{absent.rule}]" if absent.rule else ""
    return Both(
        f"- {absent.agency} tidak ditugasi{rule}: {'; '.join(ids)}.",
        f"{absent.agency} is not assigned: {'; '.join(ens)}.",
    )


def _unknown(judge: Judge, situation: Situation, asked: Asked) -> Iterator[Both]:
    seen = outlook(judge.reasoner.engine, situation, asked.occurred_on, asked.handled_on)
    if not seen.unknown:
        return
    names = ", ".join(seen.unknown)
    yield Both(f"- Belum diketahui: {names}.", f"Not known: {names}.")
    yield Both(f"  Pasti: {_parts(seen.certain)}.", f"Certain: {_parts(seen.certain)}.")
    yield Both(f"  Mungkin: {_parts(seen.possible)}.", f"Possible: {_parts(seen.possible)}.")
    if seen.ask:
        yield Both(f"  Tanyakan lebih dahulu: {seen.ask}.", f"Ask first for: {seen.ask}.")
    else:
        yield Both("  Tidak satu pun perlu ditanyakan.", "None of them needs to be asked for.")


def _parts(parts: tuple[Part, ...]) -> str:
    return "; ".join(f"{agency} {role} @ {when}" for agency, role, when in parts) or "-"
