"""The steps of a case's life and its time limits, from the event to the mail."""

import pytest

from contracts.codes import Agency, Role
from contracts.steps import Owner
from tests.notifications.story import a_story, link

PPK = (Agency.PPK, "kabkota:52.04")


def owned(story, agency, office):
    """The matters of a story, owned by an office that has the duty to act."""
    from services.routing.core.life import opening

    return tuple(
        matter.model_copy(
            update={
                "owner": Owner(agency=agency, office=office, why="R"),
                "parts": tuple(
                    part.model_copy(update={"agency": Agency(agency), "office": office, "active": True})
                    if part.role is Role.ACTION
                    else part
                    for part in matter.parts
                ),
            }
        )
        for matter in opening(story.decided.data.decision)
    )


async def opened(office, **changed):
    story = a_story(**changed)
    await office.hear(*story.events)
    await office.settle()
    return story


def letters(server, since=0):
    return sorted((mail["To"], mail["X-Netral-Letter"].partition("/")[2]) for mail in server.mails()[since:])


async def test_a_recommendation_goes_to_the_ppk_news_of_it_to_those_who_know_the_case(office, server):
    story = await opened(office)
    known = len(server.arrived)
    step = story.step(
        1, "SUPERVISOR_CONCLUDED", result="RECOMMENDED", by="BKN", office="pusat", persons=owned(story, *PPK)
    )
    await office.hear(step)
    await office.settle()
    assert letters(server, known) == [
        ("kemendagri.pusat@duty.netral.invalid", "progress"),
        ("kemenpanrb.pusat@duty.netral.invalid", "progress"),
        ("ppk.kabkota-52.04@duty.netral.invalid", "recommended"),
        ("warga@contoh.example", "status"),
    ]


async def test_an_office_with_a_new_part_hears_of_step_and_part_in_one_letter(office, server):
    story = await opened(office)
    known = len(server.arrived)
    matters = owned(story, *PPK)
    step = story.step(
        1, "SUPERVISOR_CONCLUDED", result="RECOMMENDED", by="BKN", office="pusat", persons=matters
    )
    acting = next(offer for offer in story.offers if offer.data.agency is Agency.BAWASLU)
    parts = tuple(a.model_copy(update={"agency": PPK[0], "office": PPK[1]}) for a in acting.data.assignments)
    offer = acting.model_copy(
        update={"data": acting.data.model_copy(update={"agency": PPK[0], "assignments": parts, "step": 1})}
    )
    await office.hear(offer, step, offer, step)
    await office.settle()
    mails = [mail for mail in server.mails()[known:] if mail["To"].startswith("ppk")]
    assert [mail["X-Netral-Letter"] for mail in mails] == ["1/recommended"]
    assert "Batas waktu" in mails[0].get_body(("plain",)).get_content()


async def test_every_reporter_of_a_case_hears_of_its_end_under_the_own_ticket(office, server):
    story = await opened(office)
    copy = a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA").accepted
    await office.hear(copy, link(story, copy))
    await office.settle()
    known = len(server.arrived)
    await office.hear(story.step(1, "STUDY_CONCLUDED", result="NO_BREACH"))
    await office.settle()
    to_reporters = [mail for mail in server.mails()[known:] if mail["To"] == "warga@contoh.example"]
    tickets = {story.accepted.data.ticket, copy.data.ticket}
    assert {mail["Subject"].split("]")[0].removeprefix("[Netral ") for mail in to_reporters} == tickets


async def test_who_said_it_is_not_told_it_and_the_sanction_is_never_named(office, server):
    story = await opened(office)
    known = len(server.arrived)
    await office.hear(story.step(1, "PPK_CONCLUDED", result="SANCTIONED", by="KEMENDAGRI", office="pusat"))
    await office.settle()
    assert ("kemendagri.pusat@duty.netral.invalid", "progress") not in letters(server, known)
    for mail in server.mails()[known:]:
        assert "SANCTIONED" not in mail.as_string()


async def test_a_case_given_back_a_transfer_asked_and_a_repair_each_reach_whom_they_concern(office, server):
    story = await opened(office)
    known = len(server.arrived)
    await office.hear(
        story.step(1, "RETURN", by="BKN", office="pusat"),
        story.step(2, "TRANSFER", to="BAWASLU", person="p1").model_copy(),
        story.step(3, "STUDY_CONCLUDED", result="REPAIR_NEEDED"),
    )
    await office.settle()
    assert letters(server, known) == [
        ("bawaslu.kabkota-52.04@duty.netral.invalid", "returned"),
        ("bawaslu@duty.netral.invalid", "asked"),
        ("warga@contoh.example", "repair"),
    ]


async def test_a_limit_that_is_near_or_over_is_said_once_for_all_persons(office, server):
    story = await opened(office, persons=3)
    known = len(server.arrived)
    for level in ("REMINDER", "OVERDUE"):
        await office.hear(*(story.due(level, person=f"p{n}") for n in (1, 2, 3)))
    await office.settle()
    assert letters(server, known) == [
        ("bawaslu.kabkota-52.04@duty.netral.invalid", "overdue"),
        ("bawaslu.kabkota-52.04@duty.netral.invalid", "reminder"),
    ]
    assert "5 November 2024" in server.mails()[known].get_body(("plain",)).get_content()


@pytest.mark.parametrize("late", [False, True])
async def test_the_office_of_a_reported_head_is_withheld_and_a_person_owns_it(
    office, server, rows, bus, late
):
    story = await opened(office, person__status="PNS" if late else "PJ_KEPALA_DAERAH")
    steps = [story.step(1, "IDENTIFIED", person="p1", status="PJ_KEPALA_DAERAH")] if late else []
    known = len(server.arrived)
    number = len(steps) + 1
    told = story.step(
        number, "SUPERVISOR_CONCLUDED", result="RECOMMENDED", by="BKN", persons=owned(story, *PPK)
    )
    await office.hear(*steps, told)
    await office.settle()
    assert not any(to.startswith("ppk") for to, _ in letters(server, known))
    assert (await rows())[("STEPPED", "PPK")]["state"] == "WITHHELD"
    await office.teller.tell_endings()
    outcomes = {event.data.agency: event.data.outcome for event in bus.events.values()}
    assert outcomes[Agency.PPK] == "WITHHELD"


async def test_the_letters_of_a_thread_come_in_order_and_answer_each_other(office, server):
    story = await opened(office)
    await office.hear(story.step(1, "STUDY_CONCLUDED", result="BREACH"))
    await office.settle()
    await office.hear(story.step(2, "SUPERVISOR_CONCLUDED", result="NOT_PROVEN", by="BKN"))
    await office.settle()
    mine = [mail for mail in server.mails() if mail["To"] == "warga@contoh.example"]
    ids = [mail["Message-ID"] for mail in mine]
    assert [mail["X-Netral-Letter"] for mail in mine] == ["1/received", "1/routed", "1/status", "1/status"]
    assert [mail["In-Reply-To"] for mail in mine] == [None, *ids[:-1]]
    assert mine[-1]["References"].split() == ids[:-1]


async def test_no_letter_overtakes_an_earlier_one_of_its_thread(office, server, clock):
    story = a_story()
    server.script.append("RCPT 451")
    await office.hear(story.accepted, story.decided)
    await office.settle()
    assert server.arrived == []
    clock.move(seconds=6)
    await office.settle()
    assert [mail["X-Netral-Letter"] for mail in server.mails()] == ["1/received", "1/routed"]
