"""An office hears of persons it has a part in, of its own parts and limits, and only of what changed for it."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

from contracts.agency_events import AgencyDue, AgencyMatter, AgencyOffered, AgencyStepped
from contracts.codes import Agency
from contracts.events import CaseDecided, CaseDue, CaseDueData, DueLevel, Event, ReportAccepted, event_id
from contracts.events import ReportAcceptedData as Data
from contracts.steps import Matter
from services.routing.core.decide import Judge
from services.routing.core.fanout import SOURCE, decided, stepped
from services.routing.core.life import opening
from services.routing.core.telling import due_told_of, matters_of, told_of_due, told_of_opening, told_of_step
from tests.builders import a_report
from tests.routing.core.test_life import OPENED, Case

AT = datetime(2024, 10, 31, 3, tzinfo=UTC)
CASE = UUID(int=7)


class Told:
    """What everybody was told at the opening, and at each step that is said."""

    def __init__(self, judge: Judge, **changed: object) -> None:
        self.case = Case(judge, **changed)
        data = Data(report_id=UUID(int=6), case_id=CASE, ticket="NTR-0", facts=self.case.facts)
        accepted = ReportAccepted(id=CASE, source="/t", subject="r", time=AT, data=data)
        life = self.case.life()
        self.record: CaseDecided = decided(accepted, life.decision, AT, life.matters)
        self.opening = told_of_opening(self.record)

    def say(self, by: str, event: str, result: str | None = None, **more: object) -> list[Event]:
        before: tuple[Matter, ...] = self.case.life().matters
        self.case.say(by, event, result, **more)
        assert self.case.refused == ""
        return told_of_step(stepped(self.record, self.case.steps[-1], self.case.life()), before)


def of(events: list[Event], agency: str) -> list[Event]:
    return [event for event in events if event.data.agency == agency]  # type: ignore[attr-defined]


def test_each_office_that_is_told_at_the_opening_gets_one_offer(judge: Judge) -> None:
    told = Told(judge).opening
    assert {(e.data.agency, e.data.office) for e in told} >= {("BAWASLU", "kabkota:52.04"), ("BKN", "pusat")}  # type: ignore[attr-defined]
    assert all(isinstance(event, AgencyOffered) for event in told)
    assert len({event.nats_subject for event in told}) == len(told) == len({event.id for event in told})  # type: ignore[attr-defined]


def test_an_office_sees_its_own_parts_and_limits_only(judge: Judge) -> None:
    told = Told(judge)
    for event in [*told.opening, *told.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")]:
        data = event.data  # type: ignore[attr-defined]
        for view in data.persons:
            assert isinstance(view, AgencyMatter)
            assert {(part.agency, part.office) for part in view.assignments} == {(data.agency, data.office)}
            assert {(due.agency, due.office) for due in view.dues} <= {(data.agency, data.office)}


def test_a_step_is_told_to_those_concerned_and_offered_to_those_who_were_not(judge: Judge) -> None:
    told = Told(judge)
    told.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4))
    news = told.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")
    (offer,) = of(news, "PPK")
    assert isinstance(offer, AgencyOffered)
    assert [due.agency for due in offer.data.persons[0].dues] == [Agency.PPK]
    gone_on, *_ = of(news, "BKN")
    assert isinstance(gone_on, AgencyStepped)
    assert (gone_on.data.persons[0].state, gone_on.data.persons[0].owner.agency) == ("RECOMMENDED", "PPK")  # type: ignore[union-attr]


def test_a_step_that_changes_nothing_for_an_office_is_not_told_to_it(judge: Judge) -> None:
    told = Told(judge)
    same = told.case.life().matters
    told.case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    record = stepped(told.record, told.case.steps[-1], told.case.life()._replace(matters=same))
    assert told_of_step(record, same) == []


def test_an_office_whose_part_is_over_hears_that_and_nothing_else(judge: Judge) -> None:
    told = Told(judge)
    before = told.case.life().matters
    told.case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    gone = tuple(m.model_copy(update={"parts": ()}) for m in before)
    record = stepped(told.record, told.case.steps[-1], told.case.life()._replace(matters=gone))
    news = told_of_step(record, before)
    assert news
    for event in news:
        assert isinstance(event, AgencyStepped)
        assert (event.data.persons, event.data.ended) == ((), ("p1",))


def test_a_limit_is_told_to_the_office_whose_limit_it_is(judge: Judge) -> None:
    data = CaseDueData(
        case_id=CASE,
        ticket="NTR-0",
        region="kemendagri:52.04",
        person="p1",
        agency=Agency.PPK,
        office="kabkota:52.04",
        level=DueLevel.REMINDER,
        last_day=OPENED,
    )
    key = event_id(CASE, "due", "p1", "PPK", str(OPENED), "REMINDER")
    record = CaseDue(id=key, source=SOURCE, subject=str(CASE), time=AT, data=data)
    (told,) = told_of_due(record)
    assert isinstance(told, AgencyDue)
    assert due_told_of(told) == record
    assert told.nats_subject == f"told.PPK.kabkota-52-04.{CASE}.due.p1.2024-10-31.REMINDER"


def test_telling_the_same_record_again_makes_the_same_bytes(judge: Judge) -> None:
    told = Told(judge)
    again = CaseDecided.model_validate_json(told.record.model_dump_json(by_alias=True))
    first, second = (
        [e.model_dump_json() for e in events] for events in (told.opening, told_of_opening(again))
    )
    assert first == second
    assert json.loads(first[0])["data"]["link"].endswith(str(CASE))


def of_two_regencies(judge: Judge) -> Told:
    """Two civil servants of two regencies in one report."""
    plain = a_report()
    home = {"kind": "KABUPATEN", "region": "kemendagri:52.71"}
    acts = [*plain["acts"], {**plain["acts"][0], "person": "p2"}]
    persons = [*plain["persons"], {**plain["persons"][0], "ref": "p2", "employer": home}]
    return Told(judge, persons=persons, acts=acts)


def test_two_offices_of_one_agency_are_told_each_of_its_own_person(judge: Judge) -> None:
    told = of_two_regencies(judge)
    told.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    offers = of(told.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"), "PPK")
    seen = {(e.data.office, *(view.ref for view in e.data.persons)) for e in offers}  # type: ignore[attr-defined]
    assert seen == {("kabkota:52.04", "p1"), ("kabkota:52.71", "p2")}
    assert len({event.id for event in offers}) == 2  # type: ignore[attr-defined]


def test_an_office_that_gets_another_person_is_offered_it_and_told_of_it_once(judge: Judge) -> None:
    told = of_two_regencies(judge)
    told.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    told.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", person="p1")
    told.say("OPERATOR", "ASSIGN", to="PPK", office="kabkota:52.04", person="p1")
    (offer,) = of(told.say("OPERATOR", "ASSIGN", to="PPK", office="kabkota:52.04", person="p2"), "PPK")
    assert isinstance(offer, AgencyOffered)
    assert [view.ref for view in offer.data.persons] == ["p2"]


def test_a_record_from_before_cases_had_a_life_is_told_by_its_decision(judge: Judge) -> None:
    told = Told(judge)
    data = told.record.data.model_copy(update={"persons": ()})
    assert matters_of(told.record.model_copy(update={"data": data})) == opening(data.decision)
    told.case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    record = stepped(told.record, told.case.steps[-1], told.case.life())
    assert matters_of(record) == record.data.persons != ()
    assert (
        matters_of(record.model_copy(update={"data": record.data.model_copy(update={"persons": ()})})) == ()
    )
