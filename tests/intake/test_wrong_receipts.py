"""Wrong receipts are counted per ticket and minute, in bounded memory."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.intake.wrong_receipts import ALLOWED, REMEMBERED, WrongReceipts

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TICKET = UUID(int=1)


def test_the_twentieth_wrong_receipt_is_the_last_of_its_minute():
    wrong = WrongReceipts()
    for _ in range(ALLOWED):
        assert wrong.wait(TICKET, NOW) == 0
        wrong.add(TICKET, NOW)
    assert wrong.wait(TICKET, NOW) == 61
    assert wrong.wait(TICKET, NOW + timedelta(seconds=60)) == 0
    assert wrong.wait(UUID(int=2), NOW) == 0


def test_a_new_minute_counts_anew():
    wrong = WrongReceipts()
    for minute in range(ALLOWED):
        wrong.add(TICKET, NOW + timedelta(minutes=minute))
    assert wrong.wait(TICKET, NOW + timedelta(minutes=ALLOWED)) == 0


def test_the_minute_begins_with_its_first_wrong_receipt_also_long_after_the_one_before():
    wrong, later = WrongReceipts(), NOW + timedelta(minutes=1)
    wrong.add(TICKET, NOW)
    for _ in range(ALLOWED):
        assert wrong.wait(TICKET, later) == 0
        wrong.add(TICKET, later)
    assert wrong.wait(TICKET, later) == 61


def test_guessing_tickets_does_not_fill_the_memory():
    wrong = WrongReceipts()
    for number in range(REMEMBERED + 100):
        wrong.add(UUID(int=number), NOW)
    assert len(wrong._counts) == REMEMBERED
