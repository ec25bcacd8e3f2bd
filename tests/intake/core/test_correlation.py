"""Exact copies of a report share a case, whoever sends them and however they spell it; everything else does not."""

from datetime import date
from uuid import UUID

import pytest

from contracts.door import read_report
from contracts.facts import facts_of
from contracts.ids import case_id_of
from services.intake.core.correlation import case_id_for
from tests.intake.builders import REMOVE, a_report

TODAY = date(2026, 11, 25)
FIRST, SECOND = UUID(int=1), UUID(int=2)
CAMAT = {"ref": "a", "status": "PNS", "name": "Kanari Satu", "post": "CAMAT"}
KADES = {"ref": "b", "status": "NON_ASN", "name": "Kanari Dua"}
PHOTO = {"person": "a", "code": "PHOTO_WITH_CANDIDATE", "beneficiary": "CALON"}
LIKE = {"person": "a", "code": "SOCIAL_MEDIA_ENGAGEMENT"}
JOIN = {"person": "b", "code": "JOIN_CAMPAIGN"}


def case_of(report_id=FIRST, door_key=b"key", received_on=TODAY, **changes):
    report = read_report(a_report(**{"persons": [CAMAT], "acts": [PHOTO], **changes}), TODAY)
    return case_id_for(report, facts_of(report, received_on), door_key, report_id)


def test_two_reports_of_the_same_event_share_a_case():
    assert case_of(FIRST) == case_of(SECOND)


@pytest.mark.parametrize(
    "changes",
    [
        {"narrative": "Kata lain."},
        {"evidence": REMOVE},
        {"source": {"channel": "SIGAPLAPOR", "reference": "77"}},
        {"source": REMOVE},
        {"incident__place": "Lapangan lain"},
        {"acts": [{**PHOTO, "note": "Terlihat di video."}]},
        {"persons": [{**CAMAT, "ref": "x"}], "acts": [{**PHOTO, "person": "x"}]},
        {"persons": [{**CAMAT, "post": "Camat Sukajadi"}]},
    ],
)
def test_who_tells_it_and_in_which_words_does_not_matter(changes):
    assert case_of(SECOND, **changes) == case_of(FIRST)


def test_named_reporters_share_a_case_and_anonymous_ones_another_because_the_track_differs():
    named = [{"kind": kind, "name": "Warga Contoh", "address": "Alamat"} for kind in ("VOTER", "MONITOR")]
    anonymous = {"kind": "ANONYMOUS"}
    assert case_of(FIRST, reporter=named[0]) == case_of(SECOND, reporter=named[1])
    assert case_of(FIRST, reporter=anonymous) == case_of(SECOND, reporter=anonymous)
    assert case_of(FIRST, reporter=anonymous) != case_of(FIRST, reporter=named[0])


def test_the_days_of_knowing_and_reporting_do_not_matter():
    early = case_of(SECOND, received_on=date(2026, 11, 24), incident__known_on="2024-10-22")
    assert early == case_of(SECOND, reported_on="2024-11-02") == case_of(FIRST)


@pytest.mark.parametrize(
    "name",
    [
        "KANARI SATU",
        "  kanari   satu ",
        "Kanari\u00a0Satu",
        "\uff2b\uff41\uff4e\uff41\uff52\uff49 Satu",
    ],
)
def test_capitals_blanks_and_width_of_a_name_do_not_matter(name):
    assert case_of(SECOND, persons=[{**CAMAT, "name": name}]) == case_of(FIRST)


@pytest.mark.parametrize("name", ["Kanari Satu, S.Pd.", "Dr. Kanari Satu", "Kanari Satoe", "Kanari"])
def test_another_name_is_another_case(name):
    assert case_of(persons=[{**CAMAT, "name": name}]) != case_of()


def test_the_order_of_persons_and_acts_does_not_matter():
    one = case_of(persons=[CAMAT, KADES], acts=[PHOTO, LIKE, JOIN])
    assert case_of(SECOND, persons=[KADES, CAMAT], acts=[JOIN, LIKE, PHOTO]) == one


def test_the_order_of_the_regions_touched_does_not_matter():
    there, back = ["kemendagri:52.04", "kemendagri:52.05"], ["kemendagri:52.05", "kemendagri:52.04"]
    one = case_of(incident__online=True, incident__regions_touched=there)
    assert case_of(SECOND, incident__online=True, incident__regions_touched=back) == one


def test_who_of_two_persons_did_what_matters():
    one = case_of(persons=[CAMAT, KADES], acts=[PHOTO, JOIN])
    assert case_of(persons=[CAMAT, KADES], acts=[{**PHOTO, "person": "b"}, {**JOIN, "person": "a"}]) != one


@pytest.mark.parametrize(
    "changes",
    [
        {"incident__occurred_on": "2024-10-01", "incident__known_on": "2024-10-02"},
        {"incident__region": "kemendagri:33.27"},
        {"incident__online": True},
        {"incident__regions_touched": ["kemendagri:33.27"]},
        {"election__year": 2029},
        {"election__psu": True},
        {"acts": [{**PHOTO, "code": "JOIN_CAMPAIGN"}]},
        {"acts": [{**PHOTO, "beneficiary": "PARTAI"}]},
        {"acts": [PHOTO, LIKE]},
        {"persons": [{**CAMAT, "status": "PPPK"}]},
        {"persons": [{**CAMAT, "post": "GURU"}]},
        {"persons": [{**CAMAT, "post_kind": "FUNGSIONAL"}]},
        {"persons": [{**CAMAT, "employer": {"kind": "KABUPATEN"}}]},
        {"persons": [{**CAMAT, "nip": "198609262015051001"}]},
        {"persons": [CAMAT, KADES], "acts": [PHOTO, JOIN]},
        {"source": {"channel": "SBT"}},
    ],
)
def test_another_day_place_act_or_person_is_another_case(changes):
    assert case_of(**changes) != case_of()


def test_a_service_number_is_enough_and_its_blanks_do_not_matter():
    numbered = {"ref": "a", "status": "PNS", "nip": "198609262015051001"}
    spelt = {**numbered, "nip": "19860926 201505 1 001"}
    assert case_of(FIRST, persons=[numbered]) == case_of(SECOND, persons=[spelt])
    assert case_of(FIRST, persons=[numbered]) != case_id_of(FIRST)


@pytest.mark.parametrize("name", [None, "", "   "])
def test_a_report_with_a_person_nobody_named_or_numbered_never_links(name):
    unnamed = {**KADES, "name": name}
    if name is None:
        del unnamed["name"]
    for report_id in (FIRST, SECOND):
        found = case_of(report_id, persons=[CAMAT, unnamed], acts=[PHOTO, JOIN])
        assert found == case_id_of(report_id)


def test_nobody_can_tell_a_case_from_a_name_without_the_key_of_the_door():
    assert case_of(door_key=b"key") != case_of(door_key=b"another")
