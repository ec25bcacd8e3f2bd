"""Ids are derived for ever: a ticket that a citizen holds must lead to the same report in every later release."""

from uuid import UUID

import pytest

from contracts.ids import case_id_of, case_id_of_key, receipt_for, report_id_of, ticket_for

KEY = b"k" * 32
TICKET = "NTR-CNRX-VGB0-23MW-WD56"
REPORT = UUID("7ace12ff-b244-5769-b85f-a4d9ea801815")


def test_what_was_derived_once_is_derived_so_for_ever() -> None:
    assert ticket_for(KEY, "satu") == TICKET
    assert report_id_of(TICKET) == REPORT
    assert receipt_for(KEY, REPORT) == "W029-AGWG-XN2Y-071S-1D7M-C8F6"
    assert case_id_of(REPORT) == UUID("d44f2d4a-8948-5c9a-ba99-89cfd36d658e")
    assert case_id_of_key(KEY, "x") == UUID("7c8d6d0c-0d5a-5004-8e07-90f515dbbc4f")


@pytest.mark.parametrize("written", [TICKET.lower(), f" {TICKET}\n"])
def test_a_ticket_is_read_however_it_is_written(written: str) -> None:
    assert report_id_of(written) == REPORT


def test_another_key_of_the_door_gives_other_tickets_receipts_and_cases() -> None:
    other = b"l" * 32
    assert ticket_for(other, "satu") != TICKET
    assert receipt_for(other, REPORT) != receipt_for(KEY, REPORT)
    assert case_id_of_key(other, "x") != case_id_of_key(KEY, "x")
