"""The decision: who acts, when, in which role, on what authority, and why nobody else. Pure: it could be done on paper."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from contracts.codes import ElectionKind, ProgressEvent
from contracts.decision import CalendarRef, Decision, PersonDecision, Review
from contracts.facts import PersonFacts, ReportFacts
from contracts.progress import Progress, about
from services.routing.core.admissibility import Admission, admission_of
from services.routing.core.route import Asked, Reasoner
from services.routing.core.situation import as_identified, place_of, situations_of
from services.routing.core.stages import Calendars, StageAnswer
from services.routing.core.superiors import ASKED, ppk_may_be_reported
from services.routing.core.workdays import WorkCalendar

_CASE = attrgetter(
    "election", "election_office", "occurred_on", "region", "online", "regions_touched", "channel"
)
_SAME = attrgetter("status", "post", "post_kind", "employer", "employer_region", "numbered")


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
        """The whole route of a report handled on a day (local to the place of the event).

        With `progress` (also none yet) assignments say whether they are active.
        """
        admission = admission_of(facts, handled_on, self.workdays)
        stage = self._stage(facts)
        case = (_CASE(facts), stage, handled_on, admission.sways, progress is None)
        return Decision(
            rulebook=self.reasoner.ref,
            calendar=self.calendar,
            handled_on=handled_on,
            admissibility=admission.document(),
            persons=tuple(
                [self._person(case, facts, person, progress, stage, admission) for person in facts.persons]
            ),
        )

    def questions(
        self, facts: ReportFacts, handled_on: date, progress: tuple[Progress, ...] | None = None
    ) -> tuple[tuple[str, Asked], ...]:
        """What has to be decided about each person, by `ref`, in the order of the report."""
        admission, stage = admission_of(facts, handled_on, self.workdays), self._stage(facts)
        return tuple((p.ref, _asked(facts, p, progress, stage, admission)) for p in facts.persons)

    def _stage(self, facts: ReportFacts) -> StageAnswer:
        return self.calendars.stage_of(
            facts.election,
            facts.election_year,
            facts.election_office,
            facts.psu,
            facts.region,
            facts.occurred_on,
        )

    def _person(
        self,
        case: Hashable,
        facts: ReportFacts,
        person: PersonFacts,
        progress: tuple[Progress, ...] | None,
        stage: StageAnswer,
        admission: Admission,
    ) -> PersonDecision:
        """`case` and the key made here hold all that `_asked` reads; tests compare with a judge that remembers nothing."""
        acts = tuple([(act.code, act.beneficiary) for act in facts.acts if act.person == person.ref])
        events = about(progress, person.ref) if progress else ()
        himself = ppk_may_be_reported(facts, as_identified(person, events))
        key = (case, _SAME(person), acts, events, himself)
        return self.reasoner.route(key, person.ref, lambda: _asked(facts, person, progress, stage, admission))


def _asked(
    facts: ReportFacts,
    reported: PersonFacts,
    progress: tuple[Progress, ...] | None,
    stage: StageAnswer,
    admission: Admission,
) -> Asked:
    events = about(progress or (), reported.ref)
    person = as_identified(reported, events)
    return Asked(
        status=person.status,
        employer=person.employer,
        employer_region=person.employer_region,
        situations=situations_of(facts, person, events, stage, admission),
        place=place_of(facts, person),
        stage=stage.stage,
        occurred_on=facts.occurred_on,
        handled_on=admission.handled_on,
        events=None if progress is None else events,
        doubts=tuple(_doubts(facts, person, stage, admission, events)),
    )


def _doubts(
    facts: ReportFacts,
    person: PersonFacts,
    stage: StageAnswer,
    admission: Admission,
    events: tuple[Progress, ...],
) -> list[Review]:
    """Questions that no rule asks: about the calendars, a PPK who may be reported himself, and one who moved or left."""
    found = [Review(rule="calendar.stage", question=stage.question)] if stage.question else []
    if admission.provisional:
        found.append(Review(rule="calendar.workdays", question=_PROVISIONAL))
    if facts.election is ElectionKind.PEMILU and not admission.late and admission.beyond_seven_days:
        found.append(Review(rule="intake.limit", question=_SEVEN_DAYS))
    if ppk_may_be_reported(facts, person):
        found.append(ASKED)
    kinds = {event.event for event in events}
    found += [Review(rule=rule, question=text) for kind, (rule, text) in _MOVES.items() if kind in kinds]
    return found


_PROVISIONAL = (
    "Batas waktu dihitung tanpa keputusan cuti bersama untuk tahun itu. Tanggal berapa yang benar? / "
    "The limit was computed without a decree on collective leave for that year. Which day is right?"
)
_SEVEN_DAYS = (
    "UU 7/2017 menyebut 7 hari kerja, Perbawaslu 7/2022 menurut pers 7 hari. Apakah laporan ini masih tepat waktu? / "
    "UU 7/2017 says 7 working days, Perbawaslu 7/2022 as printed 7 days. Is this report still in time?"
)
_MOVES = {
    ProgressEvent.TRANSFERRED: (
        "person.transferred",
        "Orang ini pindah. Siapa PPK-nya sekarang? / The person moved. Who is the PPK now?",
    ),
    ProgressEvent.LEFT_SERVICE: (
        "person.left",
        "Orang ini tidak lagi berdinas. Apakah perkara ASN dilanjutkan? / "
        "The person left the service. Does the ASN matter go on?",
    ),
}
