"""States and Message-IDs over whatever a mail server can do."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.codes import Agency
from services.notifications.core.notices import State
from services.notifications.core.retries import Step
from services.notifications.ledger import LEASE
from services.notifications.ledger_tables import notices, refusals
from services.notifications.postman import Postman
from services.runtime.telemetry import Telemetry
from tests.notifications.story import CANARY, a_story

RECEIVED = ("RECEIVED", None)


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


async def test_each_reader_gets_one_mail_for_each_step(office, server, rows):
    story = a_story()
    await office.hear(*story.events)
    await office.settle()
    assert sorted(mail["To"] for mail in server.mails()) == [
        "bawaslu.kabkota-52.04@duty.netral.invalid",
        "bkn.pusat@duty.netral.invalid",
        "kemendagri.pusat@duty.netral.invalid",
        "kemenpanrb.pusat@duty.netral.invalid",
        "warga@contoh.example",
        "warga@contoh.example",
    ]
    assert {row["state"] for row in (await rows()).values()} == {"SENT"}
    assert {row["last_answer_class"] for row in (await rows()).values()} == {"250"}


@pytest.mark.parametrize("ledger_url", [None])
async def test_56_persons_of_one_case_are_one_mail_to_each_office(office, server):
    story = a_story(persons=56)
    office.know(story)
    await office.hear(*story.offers)
    await office.settle()
    assert len(server.arrived) == 4


async def test_events_heard_again_send_nothing_again(office, server):
    story = a_story()
    for _ in range(3):
        await office.hear(*story.events)
        await office.settle()
    assert len(server.arrived) == 6


async def test_the_duties_of_all_persons_stand_in_the_one_mail(office, server):
    story = a_story()
    informed = next(offer for offer in story.offers if offer.data.agency is Agency.BKN)
    acting = next(offer for offer in story.offers if offer.data.agency is Agency.BAWASLU)
    moved = tuple(
        a.model_copy(update={"agency": Agency.BKN, "office": "pusat"}) for a in acting.data.assignments
    )
    other = acting.model_copy(
        update={"data": acting.data.model_copy(update={"agency": Agency.BKN, "assignments": moved})}
    )
    office.know(story)
    await office.hear(informed, other)
    await office.settle()
    (mail,) = server.mails()
    assert "ditindaklanjuti" in mail["Subject"]
    assert "Untuk diketahui" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("deed", "state", "answer"),
    [
        ("RCPT 451", "PENDING", "451"),
        ("250 to DATA", "PENDING", "250"),
        ("DATA 451", "PENDING", "451"),
        ("RCPT 552 5.2.2", "PENDING", "552"),
        ("DATA 550 5.2.2", "PENDING", "550"),
        ("drop before DATA", "PENDING", "lost"),
        ("RCPT 550", "FAILED", "550"),
        ("DATA 554", "FAILED", "554"),
        ("drop mid-DATA", "UNKNOWN", "lost"),
        ("drop after the dot", "UNKNOWN", "lost"),
        ("DATA 354", "UNKNOWN", "354"),
    ],
)
async def test_each_misdeed_of_a_server_has_its_state(office, server, rows, deed, state, answer):
    server.script.append(deed)
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    row = (await rows())[RECEIVED]
    assert (row["state"], row["last_answer_class"], row["attempts"]) == (state, answer, 1)


async def test_a_server_that_is_too_slow_after_the_dot_leaves_the_outcome_unknown(
    office, server, rows, settings, monkeypatch
):
    server.script.append("slow")
    last_word = Postman._last_word

    async def impatient(postman, client, message):
        """Only here: what comes before may take as long as a busy machine needs for it."""
        postman._settings = settings.model_copy(update={"smtp_timeout": 0.1})
        return await last_word(postman, client, message)

    monkeypatch.setattr(Postman, "_last_word", impatient)
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    row = (await rows())[RECEIVED]
    assert (row["state"], row["last_answer_class"]) == ("UNKNOWN", "timeout")


async def test_a_mail_deferred_three_times_arrives_once_with_its_first_message_id(
    office, server, clock, rows
):
    server.script.extend(["RCPT 451", "DATA 452", "RCPT 450"])
    await office.hear(a_story().accepted)
    fixed = (await rows())[RECEIVED]["message_id"]
    for seconds in (0, 4, 2, 29, 5, 119, 14):
        clock.move(seconds=seconds)
        await office.sender.send_due()
    assert [mail["Message-ID"] for mail in server.mails()] == [fixed]
    assert server.mails()[0]["X-Netral-Possible-Duplicate"] is None
    assert (await rows())[RECEIVED]["attempts"] == 4


async def test_a_server_that_is_down_means_later_and_not_never(office, server, clock, rows):
    await server.stop()
    await office.hear(*a_story().events)
    clock.move(seconds=1)
    for _ in range(20):
        clock.move(minutes=2)
        await office.sender.send_due()
    assert {row["state"] for row in (await rows()).values()} == {"PENDING"}
    await server.start()
    for _ in range(3):
        clock.move(minutes=2)
        await office.sender.send_due()
    assert len(server.arrived) == 6


async def test_while_a_server_is_down_it_is_knocked_at_by_one_mail_only(office, server, clock):
    await server.stop()
    await office.hear(*a_story().events)
    assert await office.settle() == 5, "the second letter of a thread waits for the first"
    clock.move(minutes=2)
    assert await office.sender.send_due() == 1


async def test_a_doubtful_mail_is_held_and_sent_once_more_with_the_same_message_id(
    office, server, clock, rows
):
    server.script.append("drop after the dot")
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    clock.move(seconds=59)
    assert await office.sender.send_due() == 0
    clock.move(seconds=1)
    assert await office.sender.send_due() == 1
    first, second = server.mails()
    assert first["Message-ID"] == second["Message-ID"]
    assert (first["X-Netral-Possible-Duplicate"], second["X-Netral-Possible-Duplicate"]) == (None, "yes")
    assert (await rows())[RECEIVED]["state"] == "SENT"


async def test_a_mail_whose_process_died_is_doubtful_and_sent_once_more(desk, server, clock):
    dying, living = desk(), desk()
    await dying.ledger.start()
    await dying.hear(a_story().accepted)
    server.script.append("slow")
    trying = asyncio.create_task(dying.sender.send_due())
    await server.got_one.wait()
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    await dying.close()

    if not living.ledger.exclusive:  # it may be another process that still lives
        clock.move(seconds=LEASE.total_seconds())
    await living.sender.sweep()
    assert await living.sender.send_due() == 0
    clock.move(seconds=60)
    await living.sender.send_due()
    clock.move(days=1)
    assert await living.sender.send_due() == 0
    first, second = server.mails()
    assert first["Message-ID"] == second["Message-ID"]
    assert second["X-Netral-Possible-Duplicate"] == "yes"
    assert await living.ledger.counts() == {"SENT": 1}
    await living.close()


async def test_a_lease_that_ran_out_is_found_by_another_process(office, clock, rows):
    await office.hear(a_story().accepted)
    await office.sender.sweep()
    await office.ledger.claim(clock(), 1)
    clock.move(seconds=55)
    await office.sender.sweep()
    assert (await rows())[RECEIVED]["state"] == "SENDING"
    clock.move(seconds=10)
    await office.sender.sweep()
    assert (await rows())[RECEIVED]["state"] == "UNKNOWN"


async def test_a_mail_at_work_is_left_alone_by_another_process_however_long_it_takes(
    desk, server, clock, rows
):
    slow, other = desk(), desk()
    slow.sender.renew_every = 0.02
    await slow.ledger.start()
    await slow.hear(a_story().accepted)
    server.script.append("slow")
    trying = asyncio.create_task(slow.sender.send_due())
    await server.got_one.wait()
    for _ in range(5):
        clock.move(seconds=LEASE.total_seconds() * 0.9)
        until = clock() + LEASE
        while (await rows())[RECEIVED]["lease_until"] < until:  # noqa: ASYNC110 - a row sets no event
            await asyncio.sleep(0.01)
        await other.ledger.doubt_the_abandoned(clock(), timedelta())
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    assert (await rows())[RECEIVED]["state"] == "SENDING"
    await slow.close()
    await other.close()


async def test_a_claim_that_ended_is_not_renewed(office, clock, rows):
    await office.hear(a_story().accepted)
    claims = await office.ledger.claim(clock(), 1)
    await office.ledger.finish(claims[0], Step(State.SENT, "250"), clock())
    await office.ledger.renew(claims, clock())
    assert (await rows())[RECEIVED]["lease_until"] is None


async def test_a_try_that_was_overtaken_by_another_changes_nothing(office, clock, rows):
    await office.hear(a_story().accepted)
    (late,) = await office.ledger.claim(clock(), 1)
    clock.move(minutes=6)
    await office.sender.sweep()
    clock.move(minutes=2)
    await office.sender.send_due()
    await office.ledger.finish(late, Step(State.FAILED, "550"), clock())
    assert (await rows())[RECEIVED]["state"] == "SENT"


async def test_a_reporter_without_an_address_is_skipped_quietly(office, server, intake, rows, bus):
    intake.answer = httpx.Response(200, json={"email": None})
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    await office.teller.tell_endings()
    assert (await rows())[RECEIVED]["state"] == "SKIPPED"
    assert (server.arrived, bus.events) == ([], {})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.ConnectError("x"), "intake-away"),
        (httpx.Response(503), "intake-503"),
        (httpx.Response(401), "intake-401"),
        (httpx.Response(200, text="<html>"), "intake-strange"),
    ],
)
async def test_an_intake_that_cannot_answer_means_later(office, server, intake, clock, rows, answer, code):
    intake.answer = answer
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    assert ((await rows())[RECEIVED]["state"], (await rows())[RECEIVED]["last_answer_class"]) == (
        "PENDING",
        code,
    )
    intake.answer = httpx.Response(200, json={"email": "warga@contoh.example"})
    clock.move(seconds=6)
    await office.sender.send_due()
    assert len(server.arrived) == 1


async def test_an_erased_reporter_and_an_impossible_address_end_a_notice(office, server, intake, rows):
    intake.answer = httpx.Response(404)
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    intake.answer = httpx.Response(200, json={"email": "a@b\r\nBcc: x@y.z"})
    await office.hear(a_story().decided)
    await office.sender.send_due()
    found = await rows()
    assert (found[RECEIVED]["state"], found[("ROUTED", None)]["state"]) == ("SKIPPED", "FAILED")
    assert server.arrived == []


async def test_a_stop_lets_mail_finish_and_gives_back_what_was_only_claimed(office, server, clock, rows):
    server.script.extend(["ok"] * 3)
    await office.hear(*a_story().events)
    clock.move(seconds=1)
    running = asyncio.create_task(office.sender.run())
    await server.got_one.wait()
    await office.sender.stop(2)
    await running
    states = {row["state"] for row in (await rows()).values()}
    assert states <= {"SENT", "PENDING"}


async def test_the_ledger_keeps_no_address_and_nothing_personal(office, server, tmp_path):
    server.script.append("RCPT 550")
    await office.hear(*a_story(persons=2).events)
    await office.settle()
    tables = [await office.ledger.read(table.select()) for table in (notices, refusals)]
    await office.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*")) + repr(tables).encode()
    assert b"RECEIVED" in kept
    for secret in (CANARY, "warga@contoh.example", "198609262015051001", "duty.netral"):
        assert secret.encode() not in kept


async def test_no_mail_holds_anything_personal(office, server):
    await office.hear(*a_story(persons=2).events)
    await office.settle()
    assert len(server.arrived) == 6
    for _, _, raw in server.arrived:
        assert CANARY.encode() not in raw
        assert b"198609262015051001" not in raw


async def test_connections_are_used_again(office, server):
    await office.hear(*a_story().events)
    await office.settle()
    assert len(server.arrived) == 6
    assert len(server.sessions) <= 4


@pytest.fixture
def spans():
    """Every span as it was made, before anything is scrubbed from it."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter.get_finished_spans, Telemetry(provider.get_tracer("netral"), provider)
    provider.shutdown()


async def test_the_trace_goes_on_into_smtp(desk, server, spans, clock):
    finished, telemetry = spans
    parts = desk(telemetry=telemetry)
    await parts.ledger.start()
    with telemetry.tracer.start_as_current_span("handling") as handling:
        await parts.hear(a_story().accepted)
    await parts.sender.send_due()
    (span,) = [span for span in finished() if span.name == "SMTP send"]
    assert span.kind is SpanKind.CLIENT
    assert span.parent.span_id == handling.get_span_context().span_id
    assert span.attributes["server.port"] == server.port
    assert span.attributes["netral.notice.step"] == "RECEIVED"
    assert span.attributes["netral.smtp.answer"] == "250"
    assert not any("warga" in str(value) for value in span.attributes.values())
    await parts.close()


async def test_an_old_notice_is_sent_in_a_trace_of_its_own_linked_to_its_cause(desk, server, spans, clock):
    finished, telemetry = spans
    parts = desk(telemetry=telemetry)
    await parts.ledger.start()
    with telemetry.tracer.start_as_current_span("handling") as handling:
        await parts.hear(a_story().accepted)
    clock.move(minutes=20)
    await parts.sender.send_due()
    (span,) = [span for span in finished() if span.name == "SMTP send"]
    assert span.parent is None
    assert [link.context.trace_id for link in span.links] == [handling.get_span_context().trace_id]
    await parts.close()


def test_the_table_has_no_place_for_an_address_or_words():
    assert not {"address", "email", "recipient", "to", "subject", "body"} & set(notices.c.keys())
