from uuid import uuid5

from contracts.codes import Agency, Role
from contracts.events import Audience, NoticeOutcome, NoticeStep
from contracts.ids import NETRAL
from services.notifications.core import telling
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import (
    State,
    merged,
    message_id,
    thread_root,
    told,
)
from services.routing.core.life import opening
from tests.notifications.story import CANARY, NOON, a_story, link


def on_accepted(event):
    (notice,) = telling.on_accepted(event, matrix())
    return notice


def on_decided(event):
    (notice,) = telling.on_decided(event, matrix())
    return notice


def on_linked(event, record):
    (notice,) = telling.on_linked(event, record, matrix())
    return notice


def on_offered(event):
    return telling.on_offered(event, matrix())


def offered(story):
    return [notice for offer in story.offers for notice in on_offered(offer)]


def test_each_reader_gets_one_notice_for_each_step():
    story = a_story()
    agencies = {(notice.agency, notice.office) for notice in offered(story)}
    assert agencies == {
        (Agency.BAWASLU, "kabkota:52.04"),
        (Agency.BKN, "pusat"),
        (Agency.KEMENPANRB, "pusat"),
        (Agency.KEMENDAGRI, "pusat"),
    }
    assert on_accepted(story.accepted).step is NoticeStep.RECEIVED
    assert on_decided(story.decided).audience is Audience.REPORTER


def test_56_persons_of_one_case_make_one_notice_for_each_office():
    story = a_story(persons=56)
    assert len(story.offers) == 56 * 4
    assert len({notice.notice_id for notice in offered(story)}) == 4


def test_what_is_not_yet_a_duty_is_not_mailed():
    ppk = [offer for offer in a_story().offers if offer.data.agency is Agency.PPK]
    assert not ppk
    bawaslu = next(n for n in offered(a_story()) if n.agency is Agency.BAWASLU)
    assert [duty.role for duty in bawaslu.facts.duties] == [Role.ACTION]


def test_the_duties_of_several_persons_add_up_in_any_order():
    bawaslu, bkn, *_ = (notice.facts for notice in offered(a_story()))
    assert merged(bawaslu, bkn).duties == merged(bkn, bawaslu).duties
    assert [duty.role for duty in merged(bkn, bawaslu).duties] == [Role.ACTION, Role.INFORMATION]
    assert merged(bawaslu, bawaslu) == bawaslu


def test_the_reporter_hears_who_acts_and_who_is_informed():
    held = {a.agency: a.acts for a in on_decided(a_story().decided).facts.addressees}
    assert held == {
        Agency.BAWASLU: True,
        Agency.BKN: False,
        Agency.KEMENPANRB: False,
        Agency.KEMENDAGRI: False,
    }


def test_a_message_id_is_the_same_on_every_try_and_tells_nothing():
    notice = on_accepted(a_story().accepted)
    first = message_id(notice.notice_id, b"key", "netral.invalid")
    assert first == message_id(notice.notice_id, b"key", "netral.invalid")
    assert first != message_id(notice.notice_id, b"other", "netral.invalid")
    assert str(notice.notice_id)[:8] not in first
    assert first.startswith("<")
    assert first.endswith("@netral.invalid>")


def test_a_thread_is_one_reader_and_one_case():
    story, other = a_story(), a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA")
    notices = [
        on_accepted(story.accepted),
        on_decided(story.decided),
        *offered(story),
        on_accepted(other.accepted),
    ]
    roots = [thread_root(notice, b"key", "d") for notice in notices]
    assert roots[0] == roots[1] == message_id(notices[0].notice_id, b"key", "d")
    assert len(set(roots)) == len(notices) - 1


def test_the_first_reporter_of_a_case_gets_one_notice_by_both_ways():
    story = a_story()
    assert on_linked(link(story, story.accepted), story.decided) == on_decided(story.decided)


def test_the_reporter_of_a_copy_gets_notices_and_a_thread_about_the_own_ticket():
    story, copy = a_story(), a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA").accepted
    first, notice = on_decided(story.decided), on_linked(link(story, copy), story.decided)
    assert (notice.case_id, notice.report_id) == (first.case_id, copy.data.report_id)
    assert notice.facts == first.facts.model_copy(update={"ticket": copy.data.ticket})
    assert notice.notice_id != first.notice_id
    received = on_accepted(copy)
    assert thread_root(notice, b"key", "d") == message_id(received.notice_id, b"key", "d")


def test_what_is_told_repeats_to_the_byte():
    notice = offered(a_story())[0]
    event = told(notice, State.SENT, 2, NOON)
    assert event == told(notice, State.SENT, 2, NOON)
    assert event.data.outcome is NoticeOutcome.SENT
    assert event.nats_subject == f"notices.{notice.case_id}.{notice.notice_id}"


def test_a_notice_holds_nothing_personal():
    story = a_story(persons=3)
    notices = [on_accepted(story.accepted), on_decided(story.decided), *offered(story)]
    assert not any(CANARY in notice.model_dump_json() for notice in notices)


def test_an_id_is_derived_from_case_step_agency_and_office():
    notice = next(n for n in offered(a_story()) if n.agency is Agency.BAWASLU)
    assert notice.notice_id == uuid5(notice.case_id, "notice/OFFERED/BAWASLU/kabkota:52.04")
    assert notice.case_id != NETRAL


def stepped(story, number, state, asked=None, **said):
    """A step after which the persons stand in `state`; `asked` is the office of the first that POLRI was asked at."""
    persons = [
        m.model_copy(update={"state": state.get(m.ref, m.state)})
        for m in opening(story.decided.data.decision)
    ]
    if asked:
        part = (
            persons[0]
            .parts[0]
            .model_copy(
                update={"agency": "POLRI", "office": asked, "rule": "case.transferred", "role": "INFORMATION"}
            )
        )
        persons[0] = persons[0].model_copy(update={"parts": (*persons[0].parts, part)})
    reporters = [telling.Reporter(story.decided.data.report_id, story.decided.data.ticket)]
    return telling.on_stepped(story.step(number, persons=tuple(persons), **said), reporters, matrix())


def to_reporters(notices):
    return len([notice for notice in notices if notice.audience is Audience.REPORTER])


def test_a_reporter_hears_once_what_becomes_of_several_persons_one_by_one():
    story, no = a_story(persons=3), {"event": "STUDY_CONCLUDED", "result": "NO_BREACH"}
    ended = "NOT_PROVEN_BY_STUDY"
    assert to_reporters(stepped(story, 1, {"p1": ended}, person="p1", **no)) == 1
    assert to_reporters(stepped(story, 2, {"p1": ended, "p2": ended}, person="p2", **no)) == 0
    both = {"p1": ended, "p2": ended, "p3": "BREACH"}
    yes = {"event": "STUDY_CONCLUDED", "result": "BREACH"}
    assert to_reporters(stepped(story, 3, both, person="p3", **yes)) == 1
    assert to_reporters(stepped(story, 4, dict.fromkeys(("p1", "p2", "p3"), ended), **no)) == 1


def test_who_is_asked_to_take_a_case_is_mailed_at_the_office_routing_found():
    notices = stepped(a_story(), 1, {}, asked="kabkota:52.04", event="TRANSFER", to="POLRI")
    assert ("POLRI", "kabkota:52.04") in {(notice.agency, notice.office) for notice in notices}


def test_two_offices_of_one_agency_are_mailed_each_its_own_duties():
    (offer,) = [offer for offer in a_story().offers if offer.data.agency is Agency.BAWASLU]
    (part,) = [part for part in offer.data.assignments if part.active]
    other = part.model_copy(update={"office": "kabkota:52.71", "basis": ("another law",)})
    both = offer.data.model_copy(update={"assignments": (part, other)})
    found = {n.office: n.facts.duties for n in on_offered(offer.model_copy(update={"data": both}))}
    assert {office: [duty.basis for duty in duties] for office, duties in found.items()} == {
        "kabkota:52.04": [part.basis],
        "kabkota:52.71": [("another law",)],
    }


def test_a_reporter_hears_each_time_that_somebody_took_a_person_s_file_over():
    story, same = a_story(persons=2), {"p1": "BREACH", "p2": "BREACH"}
    for number, person in enumerate(("p1", "p2"), 1):
        assert to_reporters(stepped(story, number, same, event="ACCEPT", person=person)) == 1
