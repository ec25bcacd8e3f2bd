"""A bounded memory for answers that cost more to work out than to keep."""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
REMEMBERED = 20_000
"""Small answers kept; far more than the different questions of one day."""


class Memory(dict[K, V]):
    """A dictionary that forgets everything rather than grow beyond `most` answers."""

    def __init__(self, most: int = REMEMBERED) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: K, value: V) -> V:
        """Remember an answer, and give it back."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value
