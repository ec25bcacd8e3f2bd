"""Loads the judge: rulebook and calendars once, then pure decisions."""

from services.routing.calendar_files import load_calendars, reference
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.rulebook_files import load_rulebook


def load_judge() -> Judge:
    """Read rulebook and calendars. Raises BrokenRulebook: a service with a broken rulebook must not start."""
    calendars, workdays = load_calendars()
    return Judge(Reasoner(load_rulebook()), calendars, workdays, reference(calendars, workdays))
