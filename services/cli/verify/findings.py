"""What the checker found: one sentence each, with the case it is about."""

from typing import NamedTuple


class Finding(NamedTuple):
    """`kind` is a short code for scripts; `subject` a case, report or notice id, or empty where it is about all."""

    kind: str
    subject: str
    says: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject + ': ' if self.subject else ''}{self.says}"
