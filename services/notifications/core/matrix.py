"""The stakeholder matrix: who is told what at which event, and what is withheld. It is data (matrix.toml); this reads it."""

import tomllib
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from contracts.codes import TRIGGERS, Agency, Post, Status
from contracts.decision import Part
from contracts.events import DueLevel
from contracts.steps import MoveKind, Said
from contracts.webhooks import AlarmKind


class To(StrEnum):
    """How a reader stands to the event; the matrix says it in words."""

    REPORTER = "REPORTER"
    OWNER = "OWNER"
    ACTING = "ACTING"
    INFORMED = "INFORMED"
    ASKED = "ASKED"
    HOLDER = "HOLDER"


class LetterKind(Part):
    """How a kind of letter travels; `withhold` is what its reader is not told."""

    urgent: bool = False
    gather: bool = False
    quiet: bool = False
    optional: bool = False
    withhold: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _urgent_waits_for_nothing(self) -> "LetterKind":
        if self.urgent and (self.gather or self.quiet or self.optional):
            raise ValueError(
                "an urgent letter is neither gathered nor quiet nor optional; take one of them away"
            )
        return self


class Told(Part):
    events: Annotated[tuple[str, ...], Field(min_length=1)]
    to: To
    letter: str


class Implicated(Part):
    """Persons of these statuses or posts head the offices of these agencies in their employer's region."""

    statuses: tuple[Status, ...]
    posts: tuple[Post, ...]
    agencies: tuple[Agency, ...]
    why: str


class Matrix(Part):
    edition: str
    never: tuple[str, ...]
    letters: dict[str, LetterKind]
    told: tuple[Told, ...]
    implicated: tuple[Implicated, ...]

    @model_validator(mode="after")
    def _names_fit(self) -> "Matrix":
        for row in self.told:
            if row.letter not in self.letters:
                raise ValueError(f"there is no letter {row.letter}; add [letters.{row.letter}]")
            if unknown := set(row.events) - EVENTS:
                raise ValueError(
                    f"{', '.join(sorted(unknown))} is no event; write one of {', '.join(sorted(EVENTS))}"
                )
        return self

    def rows(self, event: str) -> list[Told]:
        """Who is told of an event, in the order in which the first that fits a reader counts."""
        return [row for row in self.told if event in row.events]

    def letter_of(self, event: str, to: To) -> str | None:
        """The letter of an event to a kind of reader, or None if such a reader is not told."""
        return next((row.letter for row in self.rows(event) if row.to is to), None)


WEBHOOK = "WEBHOOK:{}"
"""How the matrix names an alarm of a webhook."""
EVENTS = frozenset(
    {"ACCEPTED", "DECIDED", "OFFERED", *DueLevel, *MoveKind, *map(WEBHOOK.format, AlarmKind)} | TRIGGERS
)
"""Every event the matrix may name."""


def event_of(said: Said) -> str:
    """What was said, as the matrix names it: `EVENT:RESULT` or the bare `EVENT`."""
    return f"{said.event}:{said.result}" if said.result else str(said.event)


def read_matrix(text: str) -> Matrix:
    """The matrix of a TOML text. Raises ValueError naming the fault."""
    return Matrix.model_validate(tomllib.loads(text))


@lru_cache(maxsize=1)
def matrix() -> Matrix:
    """The matrix of this package."""
    return read_matrix(files("services.notifications").joinpath("matrix.toml").read_text(encoding="utf-8"))
