"""The judge: rulebook and calendars loaded once, then pure decisions."""

from dataclasses import dataclass
from datetime import date

from contracts.decision import CalendarRef, Decision
from contracts.facts import ReportFacts
from contracts.progress import Progress
from services.routing.calendar_files import load_calendars, reference
from services.routing.core.decide import Questions, decide, questions_of
from services.routing.core.route import Reasoner
from services.routing.core.stages import Calendars
from services.routing.core.workdays import WorkCalendar
from services.routing.rulebook_files import load_rulebook


@dataclass(frozen=True)
class Judge:
    """Everything a decision depends on besides the report; one immutable value, so it can be swapped whole."""

    reasoner: Reasoner
    calendars: Calendars
    workdays: WorkCalendar
    calendar: CalendarRef

    def decide(
        self, facts: ReportFacts, handled_on: date, progress: tuple[Progress, ...] | None = None
    ) -> Decision:
        """The decision on a report handled on a day; with `progress`, assignments say whether they are active."""
        return decide(self.questions(facts, handled_on, progress), self.reasoner, self.calendar)

    def questions(
        self, facts: ReportFacts, handled_on: date, progress: tuple[Progress, ...] | None = None
    ) -> Questions:
        """What has to be decided about each person."""
        return questions_of(facts, handled_on, progress, self.calendars, self.workdays)


def load_judge() -> Judge:
    """Read rulebook and calendars. Raises BrokenRulebook: a service with a broken rulebook must not start."""
    calendars, workdays = load_calendars()
    return Judge(Reasoner(load_rulebook()), calendars, workdays, reference(calendars, workdays))
