"""What follows from a decision follows from its record alone."""

from datetime import UTC, date, datetime
from uuid import UUID

from contracts.door import read_report
from contracts.events import CaseDecided, CaseOffered, CaseUnroutable, ReportAccepted, ReportAcceptedData
from contracts.facts import facts_of
from contracts.ids import case_id_of
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided, following
from tests.builders import TODAY, a_report

AT = datetime(2024, 10, 31, 3, tzinfo=UTC)
REPORT_ID = UUID(int=7)


def accepted() -> ReportAccepted:
    facts = facts_of(read_report(a_report(), TODAY), date(2024, 10, 25))
    data = ReportAcceptedData(report_id=REPORT_ID, case_id=case_id_of(REPORT_ID), ticket="NTR-0", facts=facts)
    return ReportAccepted(id=REPORT_ID, source="/t", subject="r", time=AT, data=data)


def test_each_agency_that_is_told_gets_one_offer_with_all_its_parts(judge: Judge) -> None:
    report = accepted()
    record = decided(report, judge.decide(report.data.facts, date(2024, 10, 31), ()), AT)
    offers = [event for event in following(record) if isinstance(event, CaseOffered)]
    assert [offer.data.agency for offer in offers] == ["BAWASLU", "BKN", "KEMENDAGRI", "KEMENPANRB"]
    assert "STUDY_CONCLUDED:BREACH" in {part.when for part in offers[1].data.assignments}


def test_a_repetition_from_the_stored_record_makes_the_same_bytes(judge: Judge) -> None:
    report = accepted()
    record = decided(report, judge.decide(report.data.facts, date(2024, 10, 31), ()), AT)
    again = CaseDecided.model_validate_json(record.model_dump_json(by_alias=True))
    assert [e.model_dump_json() for e in following(again)] == [e.model_dump_json() for e in following(record)]


def test_a_person_nobody_must_act_for_makes_a_case_with_an_owner(judge: Judge) -> None:
    report = accepted()
    decision = judge.decide(report.data.facts, date(2010, 1, 1), ())
    events = following(decided(report, decision, AT))
    lost = [event for event in events if isinstance(event, CaseUnroutable)]
    assert [(event.data.persons, event.data.owner) for event in lost] == [(("p1",), "OPERATOR")]
