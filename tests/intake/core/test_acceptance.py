"""What an accepted report becomes: an event of codes, and two parts to seal."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.door import read_report
from services.intake.core.acceptance import accept, zone_at
from tests.intake.builders import REMOVE, a_report

LATE_EVENING = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
WHO = {
    "name": "Warga Contoh",
    "address": "Jalan Contoh 1",
    "email": "warga@example.org",
    "phone": "0800",
}


def accepted(**changes):
    report = read_report(a_report(**changes), date(2026, 11, 25))
    return accept(report, "NTR-1", LATE_EVENING, b"a door key")


def test_the_same_report_and_ticket_make_the_same_event():
    assert accepted().event == accepted().event


def test_the_day_of_receipt_is_the_day_at_the_place():
    assert accepted().event.data.facts.reported_on == date(2026, 11, 25)
    assert accepted(incident__region="kemendagri:33.27").event.data.facts.reported_on == date(2026, 11, 24)


def test_the_reporter_is_split_from_the_dossier():
    """Whatever tells who or where it is; an agency reads the dossier."""
    acceptance = accepted(reporter={"kind": "VOTER", **WHO})
    assert acceptance.dossier["report"]["reporter"] == {"kind": "VOTER"}
    assert acceptance.reporter == WHO


def test_the_dossier_knows_which_ref_each_person_had():
    changed = accepted(
        persons=[{"ref": "b", "status": "PNS"}, {"ref": "a", "status": "TNI"}], acts__0__person="a"
    )
    assert changed.dossier["refs"] == {"p1": "b", "p2": "a"}
    assert changed.event.data.facts.acts[0].person == "p2"


@pytest.mark.parametrize(
    ("document", "zone"),
    [
        (a_report(), "Asia/Makassar"),
        (a_report(incident__region="kemendagri:91.03"), "Asia/Jayapura"),
        (a_report(incident__region="kemendagri:99.99"), "Asia/Jakarta"),
        (a_report(incident__region=7), "Asia/Jakarta"),
        (a_report(incident=REMOVE), "Asia/Jakarta"),
        ([], "Asia/Jakarta"),
    ],
)
def test_the_zone_is_that_of_the_place_where_it_can_be_read(document, zone):
    assert zone_at(document) == ZoneInfo(zone)
