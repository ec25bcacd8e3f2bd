"""Where a person's file was moved by its holders, beside what the rules say, since the last progress."""

from dataclasses import dataclass, field

from contracts.codes import ProgressEvent
from contracts.steps import OPERATOR, MoveKind, Said
from services.routing.core.lifecycle import WAYS

Body = tuple[str, str | None]
"""An agency (or OPERATOR) and its office."""
TRANSFERRED_RULE = "case.transferred"


@dataclass
class Hops:
    """`holder` overrides the rules, `asked` must answer a transfer; whoever is in `passed_on` never gets it again."""

    holder: Body | None = None
    asked: Body | None = None
    before: Body | None = None
    passed_on: list[Body] = field(default_factory=list)
    returned: bool = False

    def hear(self, said: Said, speaker: Body) -> None:
        """Go on by one step; progress that moves the case on ends every hop."""
        event = said.event
        if isinstance(event, ProgressEvent):
            trigger = f"{event}:{said.result}" if said.result else str(event)
            if WAYS[trigger].to or event is ProgressEvent.IDENTIFIED:
                self._held_by(None)
                self.before = None
                self.passed_on.clear()
        else:
            self._move(event, (str(said.to), said.office) if said.to else None, speaker)

    def _move(self, kind: MoveKind, to: Body | None, speaker: Body) -> None:
        if kind in (MoveKind.TRANSFER, MoveKind.RETURN, MoveKind.REFUSE):
            self.passed_on.append(speaker)
        match kind:
            case MoveKind.TRANSFER:
                self.asked = to
            case MoveKind.ACCEPT:
                self._held_by(speaker)
            case MoveKind.ASSIGN:
                self._held_by(to)
            case MoveKind.RETURN:
                self._held_by(to or self.before or (OPERATOR, None), returned=True)
            case MoveKind.REFUSE:
                self._held_by((OPERATOR, None))
            case MoveKind.DONE if speaker == self.holder:
                self._held_by(None)

    def _held_by(self, body: Body | None, *, returned: bool = False) -> None:
        self.before, self.holder, self.asked, self.returned = self.holder, body, None, returned
