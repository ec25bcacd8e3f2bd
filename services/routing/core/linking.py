"""A case that repeats another: linked to it whole, closed for the agencies, and back when the link is taken back.

A person links to the case that goes on, never to one that is linked itself. If that one is linked later, the system
says the link again to where it leads; taking the later link back leads back. So there is never a chain, and since links
go to the older case only, never a circle.
"""

from collections.abc import Iterable
from typing import Protocol

from contracts.codes import Role
from contracts.steps import OPERATOR, Link, Matter, MoveKind, Said
from services.routing.core.lifecycle import LINKED, STATES


class Spoken(Protocol):
    """What of a step matters here."""

    @property
    def by(self) -> str: ...
    @property
    def said(self) -> Said: ...


def link_of(standing: Iterable[Spoken]) -> Link | None:
    """Where a case is linked to after the steps that stand; the system only leads a person's link on."""
    link = None
    for step in standing:
        if step.said.event is MoveKind.LINK and step.said.case:
            if step.by == OPERATOR:
                link = Link(to=step.said.case, meant=step.said.case)
            elif link:
                link = Link(to=step.said.case, meant=link.meant)
    return link


def as_duplicate(matter: Matter) -> Matter:
    """An open matter of a linked case: nobody must act, whoever had to may still read; a closed one stays as it is."""
    if matter.owner is None:
        return matter
    parts = tuple(
        part.model_copy(update={"role": Role.INFORMATION})
        if part.active and part.role is Role.ACTION
        else part
        for part in matter.parts
    )
    return matter.model_copy(
        update={"state": LINKED, "owner": None, "parts": parts, "dues": (), "alarm": None}
    )


def refusal_of_a_linked_case(link: Link | None, said: Said) -> str | None:
    """A linked case says nothing for itself but that the link is taken back or led on."""
    if link is None or said.event in (MoveKind.LINK, MoveKind.VOID):
        return None
    return f"the case is linked to the case {link.to}; say it there, or take the link back first (VOID)"


def refusal_to_link(link: Link | None, matters: Iterable[Matter], said: Said, by: str) -> str | None:
    """Why a case cannot be linked now, or None; what the other case is, its own file tells."""
    if said.case is None:
        return "case is missing; answer a match instead (POST /v1/operator/matches/{id}), it names both cases"
    if said.person is not None:
        return "a case is linked whole; leave person out"
    if by == OPERATOR:
        if link:
            return f"the case is linked to the case {link.to} already; take that back first (VOID)"
        states = [matter.state for matter in matters if matter.owner is None]
        if len(states) == len(list(matters)):
            labels = ", ".join(sorted({f"{state} ({STATES[state].id})" for state in states}))
            return f"every person of the case is closed ({labels}); only an open case can be linked"
        return None
    return None if link else "the case is not linked; only the operator links it"
