"""A notice heard from two events is one letter whichever came first, and its ids name its reader and nobody else's."""

from uuid import UUID

import pytest

from contracts.codes import Agency
from contracts.events import Audience, NoticeStep
from contracts.ids import case_id_of
from services.notifications.core.notices import (
    Facts,
    Notice,
    State,
    digest_id,
    merged,
    message_id,
    notice_id,
    thread_root,
    told,
)
from tests.notifications.story import NOON

CASE, REPORT = UUID(int=1), UUID(int=2)


def facts(letter=None, event=None):
    return Facts(ticket="NTR-0", region="kemendagri:52.04", letter=letter, event=event)


def notice(step=NoticeStep.STEPPED, agency=Agency.PPK, office="kabkota:52.04", letter=None):
    audience = Audience.AGENCY if agency else Audience.REPORTER
    found = notice_id(CASE, step, agency, office)
    return Notice(
        notice_id=found,
        case_id=CASE,
        report_id=REPORT,
        step=step,
        audience=audience,
        agency=agency,
        office=office,
        facts=facts(letter),
    )


@pytest.mark.parametrize(
    ("one", "other", "letter"),
    [
        ("recommended", "offered", "recommended"),
        ("recommended", None, "recommended"),
        ("offered", None, "offered"),
    ],
)
def test_a_letter_that_says_more_than_an_offer_is_sent_whichever_was_heard_first(one, other, letter):
    assert merged(facts(one), facts(other)).letter == merged(facts(other), facts(one)).letter == letter


def test_the_event_that_either_heard_of_is_named():
    assert (
        merged(facts(event="RETURN"), facts()).event
        == merged(facts(), facts(event="RETURN")).event
        == "RETURN"
    )
    assert merged(facts(event="RETURN"), facts(event="DONE")).event == "RETURN"


def test_a_notice_from_before_letters_had_names_is_of_the_kind_of_its_step():
    assert [notice(letter=name).letter for name in ("silent", None)] == ["silent", "stepped"]


def test_a_reader_is_an_office_of_an_agency_or_who_reported():
    whole, nobody = notice(office=None), notice(agency=None, office=None)
    assert [one.reader for one in (notice(), whole, nobody)] == [
        "PPK/kabkota:52.04",
        "PPK/-",
        f"REPORTER/{REPORT}",
    ]


def test_digests_of_another_reader_hour_or_beginning_are_others_and_a_reader_s_are_one_thread():
    first = digest_id("PPK/-", "hourly/1", CASE)
    assert first == digest_id("PPK/-", "hourly/1", CASE)
    others = {
        digest_id("BKN/-", "hourly/1", CASE),
        digest_id("PPK/-", "hourly/2", CASE),
        digest_id("PPK/-", "hourly/1", REPORT),
    }
    assert len(others | {first}) == 4
    digest = notice(NoticeStep.DIGEST)
    elsewhere = digest.model_copy(update={"case_id": REPORT, "notice_id": REPORT})
    assert (
        thread_root(digest, b"k", "d")
        == thread_root(elsewhere, b"k", "d")
        != thread_root(notice(), b"k", "d")
    )


def test_a_thread_begins_with_the_first_letter_that_this_reader_gets():
    offered = notice_id(CASE, NoticeStep.OFFERED, Agency.PPK, "kabkota:52.04")
    assert thread_root(notice(), b"k", "d") == message_id(offered, b"k", "d")
    received = notice_id(case_id_of(REPORT), NoticeStep.RECEIVED)
    assert thread_root(notice(agency=None, office=None), b"k", "d") == message_id(received, b"k", "d")


def test_each_ending_of_a_notice_is_told_by_an_event_of_its_own():
    events = [told(notice(), State.SENT, 1, NOON, turn) for turn in (0, 1, 2)]
    assert len({event.id for event in events}) == 3
    assert told(notice(), State.SENT, 1, NOON).id == events[0].id
    assert [event.data.turn for event in events] == [0, 1, 2]
