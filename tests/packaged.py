"""The rulebook and the calendars in use, read once in a process: reading them takes a second."""

from functools import cache

from services.routing.core.decide import Judge
from services.routing.core.rules import Rulebook
from services.routing.deciding import load_judge


@cache
def packaged_judge() -> Judge:
    """It never changes: a judge by other rules is another judge."""
    return load_judge()


def packaged_book() -> Rulebook:
    return packaged_judge().reasoner.book
