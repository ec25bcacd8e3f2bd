"""Whether two reports may tell of one event: a score, and the reasons for a person to judge. Nothing is merged here."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA

from contracts import regions
from contracts.matches import Reason
from services.intake.core.names import similarity, words_of
from services.intake.core.thresholds import EVERY_ACT_ALIKE, KINDS_OF_ACT, THRESHOLDS, Thresholds

MOST_COMPARED = 60
"""Persons of a report whose names are compared with each other's; equal numbers are found however many there are."""


class Who(NamedTuple):
    """What tells one reported person from another."""

    nip: str
    name: str
    post: str
    status: str


class Told(NamedTuple):
    """What of a report is compared; `files` are SHA-256 in lower case."""

    persons: tuple[Who, ...]
    region: str
    day: date
    acts: frozenset[str]
    files: frozenset[str]
    election: tuple[str, int]


class Likeness(NamedTuple):
    score: float
    reasons: tuple[Reason, ...]


def told_by(report: dict[str, Any]) -> Told:
    """What of a report document (`netral.report.v1`, checked) is compared."""
    persons = tuple(
        Who(p.get("nip", ""), p.get("name", ""), p.get("post", ""), p["status"]) for p in report["persons"]
    )
    incident, election = report["incident"], report["election"]
    return Told(
        persons=persons,
        region=incident["region"],
        day=date.fromisoformat(incident["occurred_on"]),
        acts=frozenset(act["code"] for act in report["acts"]),
        files=frozenset(e["sha256"].lower() for e in report.get("evidence", ()) if e.get("sha256")),
        election=(election["kind"], election["year"]),
    )


def likeness(one: Told, other: Told, by: Thresholds = THRESHOLDS) -> Likeness | None:
    """How alike two reports are, or None if no person need be asked.

    Every person of the report with fewer persons must be found in the other, so that linking it leaves nobody out.
    """
    if one.election != other.election:
        return None
    found = [_evidence(one, other), _place(one, other, by), _day(one, other, by), _act(one, other, by)]
    evidence, place, day, _ = (part for part, _ in found)
    if not evidence and not (place and day):
        return None
    person, reasons = _persons(one.persons, other.persons, by)
    if person < by.person_least:
        return None
    weights = (by.evidence, by.place, by.day, by.act)
    score = person * by.person + sum(part * w for (part, _), w in zip(found, weights, strict=True))
    said = tuple(dict.fromkeys([*reasons, *(why for _, why in found if why)]))
    return Likeness(round(min(1.0, score), 2), said) if round(score, 4) >= by.offered else None


def _persons(one: Sequence[Who], other: Sequence[Who], by: Thresholds) -> tuple[float, list[Reason]]:
    """How alike the persons are; 0 unless each of the shorter list is one of the longer."""
    few, many = (list(one), list(other)) if len(one) <= len(other) else (list(other), list(one))
    reasons: list[Reason] = [Reason.MORE_PERSONS] if len(few) < len(many) else []
    numbered = {who.nip: who for who in many if who.nip}
    total, rest = 0.0, []
    for who in few:
        if who.nip and (same := numbered.pop(who.nip, None)):
            many.remove(same)
            total, reasons = total + 1.0, [Reason.SAME_NIP, *reasons]
        else:
            rest.append(who)
    if len(rest) > MOST_COMPARED or (rest and len(many) > MOST_COMPARED * 4):
        return 0.0, []
    for who in rest:
        pairs = [(_person(who, candidate, by), n) for n, candidate in enumerate(many)]
        (part, why), n = max(pairs, key=lambda pair: pair[0][0], default=((0.0, Reason.UNNAMED), -1))
        if not part:
            return 0.0, []
        del many[n]
        total, reasons = total + part, [why, *reasons]
    return total / len(few), sorted(set(reasons), key=list(Reason).index)


def _person(one: Who, other: Who, by: Thresholds) -> tuple[float, Reason]:
    """A number decides where both have one, unless it may be a slip; then names; then posts."""
    slip = False
    if one.nip and other.nip:
        if one.nip == other.nip:
            return 1.0, Reason.SAME_NIP
        slip = _slip(one.nip, other.nip, by)
        if not slip:
            return 0.0, Reason.SIMILAR_NIP
    if words_of(one.name) and words_of(other.name):
        alike = similarity(one.name, other.name)
        if alike < by.name_alike:
            return 0.0, Reason.SIMILAR_NAME
        why = Reason.SAME_NAME if alike >= by.name_same else Reason.SIMILAR_NAME
        return alike, Reason.SIMILAR_NIP if slip else why
    if slip:
        return by.name_alike, Reason.SIMILAR_NIP
    if _one_post(one.post, other.post, by):
        return by.person_by_post, Reason.SAME_POST
    return (by.person_unnamed if one.status == other.status else 0.0), Reason.UNNAMED


def _slip(one: str, other: str, by: Thresholds) -> bool:
    """A wrong digit or two; or a PPPK whose contract number (digits 13, 14 and the serial) was renewed."""
    contracts = one[12:14] >= "20" and other[12:14] >= "20"
    renewed = contracts and (one[:12], one[14]) == (other[:12], other[14])
    return renewed or OSA.distance(one, other) <= by.nip_slips


def _one_post(one: str, other: str, by: Thresholds) -> bool:
    """Posts that name one desk: a bare word (`Guru`, `CAMAT`) is the post of many."""
    first, second = (" ".join(text.casefold().replace("_", " ").split()) for text in (one, other))
    return (
        min(first.count(" "), second.count(" ")) > 0
        and OSA.normalized_similarity(first, second) >= by.post_alike
    )


def _place(one: Told, other: Told, by: Thresholds) -> tuple[float, Reason | None]:
    if one.region == other.region:
        return 1.0, Reason.SAME_PROVINCE if regions.is_province(one.region) else Reason.SAME_REGENCY
    if regions.province_of(one.region) == regions.province_of(other.region):
        return by.province, Reason.SAME_PROVINCE
    return 0.0, None


def _day(one: Told, other: Told, by: Thresholds) -> tuple[float, Reason | None]:
    apart = abs((one.day - other.day).days)
    if apart >= len(by.days):
        return 0.0, None
    return by.days[apart], Reason.NEAR_DAY if apart else Reason.SAME_DAY


def _act(one: Told, other: Told, by: Thresholds) -> tuple[float, Reason | None]:
    if one.acts & other.acts:
        return 1.0, Reason.SAME_ACT
    alike = EVERY_ACT_ALIKE in one.acts | other.acts or any(
        _some(kind, one.acts) and _some(kind, other.acts) for kind in KINDS_OF_ACT
    )
    return (by.kind_of_act, Reason.SIMILAR_ACT) if alike else (0.0, None)


def _some(kind: Iterable[str], acts: frozenset[str]) -> bool:
    return not acts.isdisjoint(kind)


def _evidence(one: Told, other: Told) -> tuple[float, Reason | None]:
    return (1.0, Reason.SAME_EVIDENCE) if one.files & other.files else (0.0, None)


def chosen(mine: Told, others: Sequence[Told], by: Thresholds = THRESHOLDS) -> list[tuple[int, Likeness]]:
    """Which of `others` (the oldest first) are offered, by their place in the list.

    Of those that are alike among themselves and about as near as the best, only the oldest: a person is asked once.
    """
    found = [(n, alike) for n, other in enumerate(others) if (alike := likeness(mine, other, by))]
    best = max((alike.score for _, alike in found), default=0.0)
    near = [(n, alike) for n, alike in found if alike.score >= best - by.cluster]
    picked: list[tuple[int, Likeness]] = []
    for n, alike in near:
        if len(picked) < by.most and not any(likeness(others[n], others[p], by) for p, _ in picked):
            picked.append((n, alike))
    return picked
