import pytest

from contracts.codes import Agency
from contracts.steps import Said
from services.notifications.core.judging import headed_office, implicated, may_be_told
from services.notifications.core.matrix import matrix
from tests.notifications.story import a_story

SUMBAWA, NTB = "kabkota:52.04", "prov:52"


def heads(*said, **person):
    facts = a_story(**person).accepted.data.facts
    return implicated(facts, said, matrix())


def test_a_teacher_heads_no_office():
    assert heads() == frozenset()


@pytest.mark.parametrize("status", ["KEPALA_DAERAH", "PJ_KEPALA_DAERAH"])
def test_a_reported_head_of_region_gets_no_mail_about_himself(status):
    found = heads(person__status=status, person__nip=None)
    for agency in (Agency.PPK, Agency.PEMDA, Agency.EMPLOYER):
        assert not may_be_told(agency, SUMBAWA, found)
        assert not may_be_told(agency, None, found), "an unknown office might be his"
        assert may_be_told(agency, NTB, found), "the governor is another"
    for agency in (Agency.BAWASLU, Agency.BKN, Agency.KEMENDAGRI):
        assert may_be_told(agency, SUMBAWA, found)


def test_an_acting_head_lent_by_a_ministry_is_the_head_where_it_happened():
    found = heads(person__status="PJ_KEPALA_DAERAH", person__employer={"kind": "PUSAT"})
    assert not may_be_told(Agency.PPK, SUMBAWA, found)
    assert may_be_told(Agency.PPK, "pusat", found)


def test_a_governor_heads_the_province_wherever_it_happened():
    employer = {"kind": "PROVINSI", "region": "kemendagri:52"}
    found = heads(person__status="KEPALA_DAERAH", person__nip=None, person__employer=employer)
    assert not may_be_told(Agency.PPK, NTB, found)
    assert may_be_told(Agency.PPK, SUMBAWA, found)


def test_the_regional_secretary_s_own_secretariat_is_not_told_but_his_ppk_is():
    found = heads(person__post="SEKDA")
    assert not may_be_told(Agency.PEMDA, SUMBAWA, found)
    assert may_be_told(Agency.PPK, SUMBAWA, found)


def test_one_voice_that_says_who_he_is_is_enough_to_withhold():
    said = Said(event="IDENTIFIED", on="2024-11-02", status="PJ_KEPALA_DAERAH", person="p1")
    assert not may_be_told(Agency.PPK, SUMBAWA, heads(said))


def test_what_somebody_says_counts_by_status_or_by_post_and_nothing_said_counts_for_nothing():
    said = {"event": "IDENTIFIED", "on": "2024-11-02", "person": "p1"}
    found = heads(Said(**said, post="SEKDA"))
    assert not may_be_told(Agency.PEMDA, SUMBAWA, found)
    assert may_be_told(Agency.PPK, SUMBAWA, found)
    elsewhere = {"employer": "PROVINSI", "employer_region": "kemendagri:52"}
    assert heads(Said(**said, **elsewhere)) == frozenset()


def test_where_it_is_not_known_which_office_he_heads_none_of_that_agency_is_told():
    found = frozenset({(Agency.PPK, None)})
    for office in (SUMBAWA, NTB, None):
        assert not may_be_told(Agency.PPK, office, found)
        assert may_be_told(Agency.BKN, office, found)


def test_an_office_that_is_not_known_is_told_where_nobody_of_its_agency_is_reported():
    found = frozenset({(Agency.PPK, SUMBAWA)})
    assert may_be_told(Agency.BKN, None, found)
    assert not may_be_told(Agency.PPK, None, found)
    assert not may_be_told(Agency.PPK, None, found | {(Agency.PEMDA, NTB)})


@pytest.mark.parametrize(
    ("employer", "region", "office"),
    [
        ("KABUPATEN", "kemendagri:52.71", "kabkota:52.71"),
        ("KABUPATEN", None, SUMBAWA),
        ("PUSAT", "kemendagri:31.71", SUMBAWA),
        ("PROVINSI", "kemendagri:52.71", NTB),
        ("KABUPATEN", "kemendagri:52", NTB),
        ("KABUPATEN", "nowhere", None),
    ],
)
def test_the_office_somebody_heads_is_that_of_the_employer_else_of_the_place(employer, region, office):
    assert headed_office(employer, region, "kemendagri:52.04") == office
