"""The parts of a person's matter: those of the rules, and those that follow from what its holders did with it."""

from collections.abc import Iterable, Sequence
from datetime import date

from contracts.codes import OPENED, Agency, DeadlineUnit, ProgressEvent, Role
from contracts.decision import Assignment, Deadline
from contracts.steps import OPERATOR, Heard, Matter, MoveKind, Said
from services.routing.core.hops import TRANSFERRED_RULE, Body, Hops

RECOMMENDED = "SUPERVISOR_CONCLUDED:RECOMMENDED"
SILENT = "PPK_CONCLUDED:SILENT"
WRONG = "PPK_CONCLUDED:WRONG_SANCTION"
SANCTIONED = "PPK_CONCLUDED:SANCTIONED"
STILL_OWES = "case.ppk-still-owes"
LIFT_BLOCK = "case.lift-block"
SUPERIOR = "case.superior-of-ppk"
_CENTRAL = (Agency.KASN, Agency.BKN, Agency.KEMENDAGRI, Agency.KEMENPANRB)
AGAIN = Deadline(count=14, unit=DeadlineUnit.WORKING_DAY, since="PPK_CONCLUDED")
"""How long a PPK that was silent once has until it is silent again: no source names a limit, so the first one is used."""


def acts(part: Assignment) -> bool:
    """Whether its agency must do something now."""
    return bool(part.active) and part.role is Role.ACTION


def homes_of(assignments: Iterable[Assignment]) -> dict[str, str]:
    """By which office each agency acts in this matter, now or later; none where the rules name several.

    A central body that has no part acts by its centre, if somebody turns to it.
    """
    offices: dict[str, set[str]] = {}
    for part in assignments:
        if part.role is Role.ACTION and part.office:
            offices.setdefault(str(part.agency), set()).add(part.office)
    homes = {agency: found.pop() for agency, found in offices.items() if len(found) == 1}
    return {**{str(agency): "pusat" for agency in _CENTRAL if str(agency) not in offices}, **homes}


def owes_sanction(part: Assignment) -> bool:
    """Whether it is the duty to sanction, whose limit, once passed, is the silence of the PPK (R38)."""
    first = part.when == RECOMMENDED and part.role is Role.ACTION and part.deadline is not None
    return first or part.rule == STILL_OWES


def is_silence(matter: Matter, agency: str, last_day: date) -> bool:
    """Whether a limit that passed on `last_day` means that the PPK, or who stands in for it, stayed silent."""
    runs = any(due.agency == agency and due.last_day == last_day for due in matter.dues)
    return runs and any(acts(part) and part.agency == agency and owes_sanction(part) for part in matter.parts)


def parts_of(
    assignments: Sequence[Assignment],
    said: Sequence[tuple[Said, Body]],
    events: Sequence[Heard],
    hops: Hops,
    superiors: Sequence[Assignment] | None,
) -> tuple[Assignment, ...]:
    """All parts of a person; `said` is what was said about it and by whom, `superiors` stand in for the PPK if given."""
    parts = list(assignments) if superiors is None else _in_place_of_ppk(assignments, superiors)
    parts += _owed(parts, events, hops)
    parts = [
        part.model_copy(update={"active": False}) if acts(part) and _was_done(part, said) else part
        for part in parts
    ]
    parts += _moved(parts, hops)
    return (*parts, *_still_reading(parts, [OPENED, *(event.trigger for event in events)]))


def _still_reading(parts: Sequence[Assignment], triggers: Sequence[str]) -> list[Assignment]:
    """Who had to act once may read how it goes on, and can take back what it said."""
    reading = {(part.agency, part.office) for part in parts if part.active}
    ended: dict[Body, Assignment] = {}
    for part in parts:
        body = (part.agency, part.office)
        if part.role is Role.ACTION and part.when in triggers and body not in reading:
            ended.setdefault(body, part)
    told = {"role": Role.INFORMATION, "active": True, "deadline": None}
    return [part.model_copy(update=told) for part in ended.values()]


def _was_done(part: Assignment, said: Sequence[tuple[Said, Body]]) -> bool:
    """Whether its holder said DONE, or handed the file over for good, since the part was triggered last.

    What goes to Gakkumdu is the criminal track alone: whoever passes it there keeps its own part.
    """
    done, passing = False, False
    for what, (agency, office) in said:
        mine = agency == part.agency and office in (None, part.office)
        if isinstance(what.event, ProgressEvent):
            trigger = f"{what.event}:{what.result}" if what.result else str(what.event)
            done = done and trigger != part.when and what.event is not ProgressEvent.IDENTIFIED
        elif what.event is MoveKind.TRANSFER:
            passing = mine and what.to is not Agency.GAKKUMDU
        elif (what.event is MoveKind.ACCEPT and passing) or (what.event is MoveKind.DONE and mine):
            done = True
    return done


def _moved(parts: Iterable[Assignment], hops: Hops) -> list[Assignment]:
    """The part of one who took the file over, and of one who was asked to."""
    found = []
    acting = {(part.agency, part.office) for part in parts if acts(part)}
    if hops.holder and hops.holder[0] != OPERATOR and hops.holder not in acting:
        found.append(_part(Agency(hops.holder[0]), hops.holder[1], TRANSFERRED_RULE))
    if hops.asked:
        asked = _part(Agency(hops.asked[0]), hops.asked[1], TRANSFERRED_RULE)
        found.append(asked.model_copy(update={"role": Role.INFORMATION}))
    return found


def _owed(parts: Sequence[Assignment], events: Sequence[Heard], hops: Hops) -> list[Assignment]:
    """What the law asks beyond the first decision: a PPK that was silent or wrong must still sanction; blocks end."""
    triggers = [event.trigger for event in events]
    last = next((t for t in reversed(triggers) if t.startswith("PPK_CONCLUDED")), None)
    if last == SANCTIONED and hops.blocked:
        basis = ("Perpres 116/2022 art. 20(4)", "Peraturan BKN 1/2023")
        return [_part(Agency.BKN, "pusat", LIFT_BLOCK, when=SANCTIONED, basis=basis)]
    if last not in (SILENT, WRONG):
        return []
    again = AGAIN if triggers.count(SILENT) == 1 and last == SILENT else None
    return [
        _part(part.agency, part.office, STILL_OWES, when=last, basis=part.basis, deadline=again)
        for part in parts
        if owes_sanction(part) and not acts(part)
    ]


def _in_place_of_ppk(assignments: Iterable[Assignment], superiors: Sequence[Assignment]) -> list[Assignment]:
    """A PPK with a conflict of interest has no part; his superiors have it instead, active when his was."""
    found: list[Assignment] = []
    for part in assignments:
        if part.agency is not Agency.PPK or part.role is not Role.ACTION:
            found.append(part)
            continue
        found += [
            above.model_copy(
                update={
                    "when": part.when,
                    "active": part.active,
                    "basis": (*above.basis, *part.basis),
                    "deadline": part.deadline if above.role is Role.ACTION else None,
                }
            )
            for above in superiors
        ]
    return found


def _part(
    agency: Agency,
    office: str | None,
    rule: str,
    *,
    when: str = OPENED,
    basis: tuple[str, ...] = (),
    deadline: Deadline | None = None,
) -> Assignment:
    return Assignment(
        agency=agency,
        office=office,
        role=Role.ACTION,
        when=when,
        rule=rule,
        basis=basis,
        deadline=deadline,
        active=True,
    )
