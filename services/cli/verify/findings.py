"""What the checker found: one sentence each, with the case it is about."""

from typing import NamedTuple


class Finding(NamedTuple):
    """`kind` is a short code for scripts; `subject` a case, report or notice id, or empty where it is about all."""

    kind: str
    subject: str
    says: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject + ': ' if self.subject else ''}{self.says}"


BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What a value raises that nobody of ours wrote."""


def unreadable(case_id: str, broken: Exception) -> Finding:
    """A case of which an event holds no day, or no word, where one must be."""
    return Finding("unreadable", case_id, f"holds what is none of ours ({type(broken).__name__})")
