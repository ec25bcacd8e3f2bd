"""Where a person's file was moved by its holders, beside what the rules say, since the last progress."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from contracts.codes import Agency, ProgressEvent
from contracts.steps import OPERATOR, MoveKind, Said
from services.routing.core.lifecycle import MEASURES, WAYS

Body = tuple[str, str | None]
"""An agency (or OPERATOR) and its office."""
TRANSFERRED_RULE = "case.transferred"


class Pause(NamedTuple):
    """A clock stood from the day a file was returned until it was given back (None: it stands still)."""

    since: date
    until: date | None


@dataclass
class Hops:
    """`holder` overrides the rules, `asked` must answer a transfer; whoever is in `passed_on` never gets it again.

    `pauses`, `measure` (what was done about a silent PPK, as a state) and `recused` outlive progress. `homes` is the
    office by which the rules know each agency in this matter: a key of the whole agency speaks for it. `wanting` are
    those who returned the file, one after the other, and get it back (None: whom the rules name).
    """

    homes: dict[str, str] = field(default_factory=dict)
    holder: Body | None = None
    asked: Body | None = None
    before: Body | None = None
    passed_on: list[Body] = field(default_factory=list)
    returned: bool = False
    wanting: list[Body | None] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    measure: str | None = None
    blocked: bool = False
    recused: bool = False

    def hear(self, said: Said, speaker: Body) -> None:
        """Go on by one step; progress that moves the case on ends every hop."""
        event = said.event
        if isinstance(event, ProgressEvent):
            trigger = f"{event}:{said.result}" if said.result else str(event)
            if WAYS[trigger].to or event is ProgressEvent.IDENTIFIED:
                self._held_by(None, said.on)
                self.before = None
                self.passed_on.clear()
        elif event in MEASURES:
            self.recused = self.recused or event is MoveKind.RECUSE
            self.measure = MEASURES[event].to or self.measure
            self.blocked = event is MoveKind.BLOCK or (self.blocked and event is not MoveKind.UNBLOCK)
        elif event is MoveKind.SUCCEED:
            self._succeed(said.instead_of, said.to)
        else:
            to = self.at_home((str(said.to), said.office)) if said.to else None
            self._move(event, to, self._voice(event, speaker), said.on)

    def at_home(self, body: Body) -> Body:
        """The body with its office, where none was named and the rules know one."""
        return (body[0], body[1] or self.homes.get(body[0]))

    def passed(self, body: Body) -> bool:
        """Whether that office passed the file on already; an office nobody named counts as any."""
        agency, office = self.at_home(body)
        return any(
            (other[0] == agency and office in (other[1], None)) or other == (agency, None)
            for other in self.passed_on
        )

    def _voice(self, kind: MoveKind, speaker: Body) -> Body:
        """For which office somebody speaks: for the one that was asked, or has the file, where only the agency is known."""
        answers = kind in (MoveKind.ACCEPT, MoveKind.REFUSE)
        for body in (self.asked if answers else None, self.holder):
            if body and speaker == (body[0], None):
                return body
        return self.at_home(speaker)

    def _move(self, kind: MoveKind, to: Body | None, speaker: Body, on: date) -> None:
        if kind in (MoveKind.TRANSFER, MoveKind.RETURN, MoveKind.REFUSE):
            self.passed_on.append(speaker)
        match kind:
            case MoveKind.TRANSFER:
                self.asked = to
            case MoveKind.ACCEPT:
                self._held_by(speaker, on)
            case MoveKind.ASSIGN:
                self._held_by(to, on)
            case MoveKind.RETURN:
                # The operator asks for nothing back: what stands in his queue is still wanted by who returned it.
                wanting = self.wanting if self.holder == (OPERATOR, None) else [*self.wanting, self.holder]
                self._held_by(to or self.before or (OPERATOR, None), on, returned=True)
                self.wanting = wanting
            case MoveKind.REFUSE:
                self._held_by((OPERATOR, None), on)
            case MoveKind.DONE if speaker == self.holder:
                *others, last = self.wanting or [None]
                self._held_by(last, on, returned=bool(others))
                self.wanting = others

    def _succeed(self, old: Agency | None, new: Agency | None) -> None:
        """Whoever took over the competence also takes over what its predecessor had been handed."""
        if old and new:
            self.holder, self.asked, self.before, *self.wanting = (
                (str(new), body[1]) if body and body[0] == old else body
                for body in (self.holder, self.asked, self.before, *self.wanting)
            )

    def _held_by(self, body: Body | None, on: date, *, returned: bool = False) -> None:
        if self.pauses and self.pauses[-1].until is None and not returned:
            self.pauses[-1] = Pause(self.pauses[-1].since, on)
        elif returned and not self.returned:
            self.pauses.append(Pause(on, None))
        self.before, self.holder, self.asked, self.returned = self.holder, body, None, returned
        self.wanting = []
