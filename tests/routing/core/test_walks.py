"""Random lives of a case on paper: whatever is said by whomever, the independent checker finds nothing wrong.

If it does, hypothesis shows the shortest history that goes wrong.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from contracts.codes import RESULTS, Agency
from contracts.door import read_report
from contracts.events import (
    CaseDue,
    CaseDueData,
    CaseStepped,
    CaseWaiting,
    CaseWaitingData,
    Event,
    ReportAccepted,
    ReportAcceptedData,
    event_id,
)
from contracts.facts import facts_of
from contracts.ids import NETRAL, case_id_of, derived_id
from contracts.steps import Matter, MoveKind, Said
from services.cli.verify.case_checks import check_case
from services.cli.verify.days import DaysOff, packaged
from services.cli.verify.due_checks import check_dues
from services.cli.verify.history import case_of
from services.cli.verify.logbook import Fact, ReportFact
from services.cli.verify.slimming import slim
from services.routing.calendar_files import HERE
from services.routing.core.admitting import refusal_of
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided, following, linked, newly_offered, stepped
from services.routing.core.life import Life, Step, life_of
from services.routing.core.limits import QUEUE, timers_of
from services.routing.core.parts import is_silence
from services.routing.core.reckoning import reckoned, recount
from services.routing.core.workdays import WorkCalendar
from tests.builders import TODAY, a_report
from tests.packaged import packaged_judge

ZONE = timedelta(hours=8)
"""Lombok, where the report of the builders happened, is eight hours ahead of UTC."""
OFF = packaged(HERE)
BODIES = (*Agency, "OPERATOR")
REFS = (None, "p1", "p2")
TRIGGERS = [(event, result) for event, results in RESULTS.items() for result in (results or (None,))]
MOVES = [kind for kind in MoveKind if kind is not MoveKind.LINK]
STATUSES = ("PNS", "PPPK", "KEPALA_DESA", "UNKNOWN", "PJ_KEPALA_DAERAH", "TNI")


class Walk(RuleBasedStateMachine):
    """One case; a step that is refused leaves it as it is, a limit that passes speaks at once."""

    judge: ClassVar[Judge] = packaged_judge()
    refused: ClassVar[Callable[..., str | None]] = staticmethod(refusal_of)

    @initialize(status=st.sampled_from(STATUSES), other=st.sampled_from((None, *STATUSES)))
    def open(self, status: str, other: str | None) -> None:
        report = a_report(person__status=status)
        if other:
            person = {"ref": "p2", "status": other, "employer": {"kind": "PUSAT"}}
            report["persons"].append(person)
            report["acts"].append({"person": "p2", "code": "JOIN_CAMPAIGN", "beneficiary": "CALON"})
        self.now = datetime(2024, 10, 25, 2, tzinfo=UTC)
        self.opened = self.now.date()
        self.facts_ = facts_of(read_report(report, TODAY), self.opened)
        self.steps: list[Step] = []
        self.last: CaseStepped | None = None
        self.off = {OFF.version: OFF}
        self.told: list[Fact] = []
        report_id = derived_id(NETRAL, "walk")
        data = ReportAcceptedData(
            report_id=report_id, case_id=case_id_of(report_id), ticket="NTR-walk", facts=self.facts_
        )
        accepted = ReportAccepted(id=report_id, source="t", subject="t", time=self.now, data=data)
        life = self.life()
        self.record = decided(accepted, life.decision, self.now, life.matters)
        self.tell(self.record, *following(self.record), linked(accepted.data, self.now))
        self.report = ReportFact(
            str(report_id),
            str(data.case_id),
            str(self.facts_.known_on),
            str(self.facts_.reported_on),
            self.facts_.region,
        )
        self.speak()

    def life(self, more: tuple[Step, ...] = ()) -> Life:
        steps = [*self.steps, *more]
        days: list[date] = [(step.at + ZONE).date() for step in steps]
        return life_of(self.facts_, self.opened, days, steps, self.judge)

    def tell(self, *events: Event) -> None:
        for event in events:
            subject: str = event.nats_subject  # type: ignore[attr-defined]
            document = json.loads(event.model_dump_json(by_alias=True))
            at = datetime.fromisoformat(document["time"])
            seq = len(self.told) + 1
            self.told.append(Fact(seq, subject.split(".")[2], subject, at, slim(document["data"])))

    def say(self, by: str, office: str | None, said: Said) -> None:
        life = self.life()
        speakers = {step.number: step.by for step in self.steps}
        if self.refused(life, self.facts_, said, by, office, (self.now + ZONE).date(), speakers):
            return
        self.now += timedelta(seconds=1)
        step = Step(len(self.steps) + 1, self.now, by, office, said)
        after = self.life((step,))
        event = stepped(self.record, step, after)
        self.steps.append(step)
        self.last = event
        self.tell(event, *newly_offered(event, life.matters))
        self.speak()

    @property
    def matters(self) -> tuple[Matter, ...]:
        """As they are on record."""
        return self.last.data.persons if self.last else self.record.data.persons

    def speak(self) -> None:
        """What the timers say until now; silence is a step of the system."""
        for timer in timers_of(self.matters, self.record.time):
            matter = next(m for m in self.matters if m.ref == timer.ref)
            event = self.waiting(timer, matter) if timer.level == QUEUE else self.due(timer)
            if timer.at > self.now or any(f.subject == event.nats_subject for f in self.told):
                continue
            self.tell(event)
            if timer.level == "OVERDUE" and is_silence(matter, timer.agency, timer.last_day):
                on = (self.now + ZONE).date()
                silent = {"event": "PPK_CONCLUDED", "result": "SILENT", "person": timer.ref, "on": on}
                self.say("NETRAL", None, Said.model_validate(silent))

    def due(self, timer: Any) -> CaseDue:
        data = self.record.data
        told = CaseDueData(
            case_id=data.case_id,
            ticket=data.ticket,
            region=data.region,
            person=timer.ref,
            agency=timer.agency,
            office=timer.office,
            level=timer.level,
            last_day=timer.last_day,
        )
        key = event_id(data.case_id, timer.ref, str(timer.last_day), timer.level)
        return CaseDue(id=key, source="t", subject="t", time=self.now, data=told)

    def waiting(self, timer: Any, matter: Matter) -> CaseWaiting:
        data, queue = self.record.data, matter.owner.why if matter.owner else ""
        about = {"case_id": data.case_id, "ticket": data.ticket, "region": data.region, "person": timer.ref}
        told = CaseWaitingData(**about, reason=queue, last_day=timer.last_day)
        key = event_id(data.case_id, "waiting", timer.ref, str(timer.last_day))
        return CaseWaiting(id=key, source="t", subject="t", time=self.now, data=told)

    @rule(days=st.integers(1, 20))
    def later(self, days: int) -> None:
        for _ in range(days):  # limits pass one after another, as they do
            self.now += timedelta(days=1)
            self.speak()

    @rule(by=st.sampled_from(BODIES), trigger=st.sampled_from(TRIGGERS), person=st.sampled_from(REFS))
    def progress(self, by: str, trigger: tuple[Any, str | None], person: str | None) -> None:
        event, result = trigger
        known: dict[str, Any] = {"status": "PNS", "employer": "PUSAT"} if event == "IDENTIFIED" else {}
        on = (self.now + ZONE).date()
        said = Said.model_validate({"event": event, "result": result, "person": person, "on": on, **known})
        self.say(str(by), None, said)

    @rule(
        by=st.sampled_from(BODIES),
        kind=st.sampled_from(MOVES),
        to=st.sampled_from((None, *Agency)),
        person=st.sampled_from(REFS),
        step=st.integers(1, 12),
    )
    def move(self, by: str, kind: MoveKind, to: Agency | None, person: str | None, step: int) -> None:
        more: dict[str, Any] = {"step": step} if kind is MoveKind.VOID else {}
        on = (self.now + ZONE).date()
        self.say(
            str(by), None, Said.model_validate({"event": kind, "person": person, "on": on, "to": to, **more})
        )

    @rule()
    def owner_speaks(self) -> None:
        """The likely way: whoever owns the first open person says the next thing."""
        likely = {
            "ROUTED": ("STUDY_CONCLUDED", "BREACH"),
            "VERIFIED": ("STUDY_CONCLUDED", "BREACH"),
            "BREACH": ("SUPERVISOR_CONCLUDED", "RECOMMENDED"),
            "RECOMMENDED": ("PPK_CONCLUDED", "SANCTIONED"),
        }
        for matter in self.life().matters:
            if matter.owner and matter.state in likely:
                event, result = likely[matter.state]
                on = (self.now + ZONE).date()
                said = {"event": event, "result": result, "person": matter.ref, "on": on}
                self.say(str(matter.owner.agency), matter.owner.office, Said.model_validate(said))
                return

    @rule(days=st.integers(1, 12), back=st.booleans())
    def calendar(self, days: int, back: bool) -> None:
        """Collective leave is decreed, or taken back; the limits that run are counted again."""
        day, old = (self.now + ZONE).date() + timedelta(days=days), self.judge.workdays
        name = f"walk {len(self.off)}"
        off = old.days_off - {day} if back else old.days_off | {day}
        workdays = WorkCalendar(name, name, off, old.decreed_years)
        self.off[name] = DaysOff(name, off)
        counted = recount(self.matters, self.facts_, self.life(), self.opened, workdays, self.now)
        self.judge = replace(self.judge, workdays=workdays)  # type: ignore[misc]
        if counted.moved:
            self.now += timedelta(seconds=1)
            event = reckoned(self.record, self.last, counted, workdays, self.now, (self.now + ZONE).date())
            self.steps.append(Step(event.data.number, self.now, "NETRAL", None, event.data.said))
            self.last = event
            self.tell(event)
            self.speak()

    @invariant()
    def nothing_is_wrong(self) -> None:
        case = case_of(str(self.record.data.case_id), self.told, [self.report])
        found = [*check_case(case), *check_dues(case, self.now, self.off)]
        assert found == [], [str(finding) for finding in found]


LONG = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def test_whatever_is_said_the_independent_checker_finds_nothing_wrong() -> None:
    run_state_machine_as_test(Walk, settings=LONG)


class NothingIsRefused(Walk):
    """A casebook that takes every step."""

    refused = staticmethod(lambda *_: None)


@pytest.mark.filterwarnings("ignore")
def test_a_casebook_that_refuses_nothing_is_found_out() -> None:
    with pytest.raises(Exception, match=r"illegal-step|wrong-state|no-owner|wrong-owner"):
        run_state_machine_as_test(NothingIsRefused, settings=settings(LONG, phases=[Phase.generate]))
