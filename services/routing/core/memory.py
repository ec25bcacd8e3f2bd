"""A bounded memory for answers that cost more to work out than to keep."""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
REMEMBERED = 20_000
"""Answers kept; far more than the different questions of one day."""


class Memory(dict[K, V]):
    """A dictionary that forgets everything rather than grow beyond REMEMBERED."""

    def keep(self, key: K, value: V) -> V:
        """Remember an answer, and give it back."""
        if len(self) >= REMEMBERED:
            self.clear()
        self[key] = value
        return value
