"""Who a person is said to be: an identity counts once two bodies say the same (four eyes); until then it is a candidate."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Protocol, TypeVar

from contracts.codes import ProgressEvent
from contracts.decision import Review
from contracts.steps import Said


class Spoken(Protocol):
    """What of a step matters here."""

    @property
    def by(self) -> str: ...
    @property
    def office(self) -> str | None: ...
    @property
    def said(self) -> Said: ...


S = TypeVar("S", bound=Spoken)


class Naming(Enum):
    """Where the search for a person stands."""

    NOBODY = "nobody was named"
    CANDIDATE = "named by one body, the second is awaited"
    DISPUTED = "different persons are named and none is settled"
    SETTLED = "two bodies named the same"


QUESTION = Review(
    rule="identity.disputed",
    question="Dua lembaga menyebut identitas yang berbeda untuk orang ini. Siapa yang benar? Yang keliru menarik "
    "langkahnya (VOID). / Two bodies name different identities for this person. Who is right? The one who is wrong "
    "takes the step back (VOID).",
)


def counting(standing: Sequence[S]) -> list[S]:
    """The steps that count: all, but of those that name a person only the one that agrees with another body's."""
    said_by: dict[Said, set[tuple[str, str | None]]] = {}
    found = []
    for step in standing:
        if step.said.event is ProgressEvent.IDENTIFIED:
            speakers = said_by.setdefault(_identity(step.said), set())
            before = len(speakers)
            speakers.add((step.by, step.office))
            if not before == 1 < len(speakers):
                continue
        found.append(step)
    return found


def naming_of(standing: Sequence[Spoken], effective: Sequence[Spoken]) -> Naming:
    """What the steps about one person say of its identity."""
    named = [step.said for step in standing if step.said.event is ProgressEvent.IDENTIFIED]
    agreed = [step.said for step in effective if step.said.event is ProgressEvent.IDENTIFIED]
    since = named[_last_place(named, agreed[-1]) + 1 :] if agreed else named
    open_ = {_identity(said) for said in since} - {_identity(said) for said in agreed[-1:]}
    if len(open_) > 1 or (open_ and agreed):
        return Naming.DISPUTED
    if open_:
        return Naming.CANDIDATE
    return Naming.SETTLED if agreed else Naming.NOBODY


def _last_place(named: Sequence[Said], agreed: Said) -> int:
    return max(n for n, said in enumerate(named) if said is agreed)


def _identity(said: Said) -> Said:
    """What is compared: everything but the day it was found out."""
    return said.model_copy(update={"on": date.min})
