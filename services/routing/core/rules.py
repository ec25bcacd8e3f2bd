"""What a rule is: conditions over closed facts, a from-only history, and the authority of each version."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from contracts.codes import Agency, Role, ViolationClass
from contracts.decision import Deadline

Axis = Literal["incident", "handling"]
"""The clock a rule is judged by: the day of the incident (norm, stage, crime) or of handling (who is competent)."""


PRACTICE = "praktik"
"""The source that is no text: what agencies were reported to do."""


@dataclass(frozen=True)
class Source:
    """A law or practice with a life of its own. `until` is the first day it is no longer in force."""

    key: str
    title: str
    iri: str
    in_force_from: date
    until: date | None = None
    superseded_by: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Citation:
    source: Source
    article: str = ""

    def __str__(self) -> str:
        if not self.article:
            return self.source.title
        if self.source.key == PRACTICE:
            return f"{self.source.title} ({self.article})"
        numbered = self.article[:1].isdigit()
        return f"{self.source.title} {'art. ' if numbered else ''}{self.article}"


@dataclass(frozen=True)
class Both:
    """A text in Indonesian and English."""

    id: str
    en: str


@dataclass(frozen=True)
class Note:
    """A doubt as data: `contested`, `open-norm` or `not-established`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Assign:
    """The part a version gives to an agency. `manual`: only a person may give it. `repeated`: at the second such event.

    `until` holds the progress events that conclude or overtake it, with or without a result.
    """

    agency: Agency
    role: Role
    office: str
    when: str
    deadline: Deadline | None = None
    until: frozenset[str] = frozenset()
    manual: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Version:
    """What a rule says from a day on. `repealed` ends it without successor; `expected` is visible, never executed."""

    since: date
    basis: tuple[Citation, ...]
    assigns: tuple[Assign, ...] = ()
    class_: ViolationClass | None = None
    review: Both | None = None
    note: Note | None = None
    repealed: bool = False
    expected: bool = False
    where: str = field(default="", compare=False)

    @property
    def speaks(self) -> bool:
        return not (self.repealed or self.expected)


@dataclass(frozen=True)
class Rule:
    """One provision. `given` maps a fact to the values it accepts; a fact that is missing accepts any value."""

    id: str
    row: str
    title: Both
    given: dict[str, frozenset[str]]
    by: Axis
    history: tuple[Version, ...]
    exception_to: tuple[str, ...] = ()
    where: str = field(default="", compare=False)

    def interval(self, number: int) -> tuple[date, date | None]:
        """First day of a version and the first day after it; None while it has no end. Expected law ends nothing."""
        following = [version.since for version in self.history[number + 1 :] if not version.expected]
        return self.history[number].since, following[0] if following else None

    def version_on(self, day: date) -> Version | None:
        """The version in force on a day, if it says anything; there is no falling back to an older one."""
        current = None
        for version in self.history:
            if version.since <= day and not version.expected:
                current = version
        return current if current and current.speaks else None


@dataclass(frozen=True)
class Rulebook:
    """A whole body of rules with the digest of its content (`sha256:` and hex)."""

    id: str
    version: str
    digest: str
    sources: dict[str, Source]
    rules: tuple[Rule, ...]
