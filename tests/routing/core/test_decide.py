"""Who gets a case, when and why: the rows of the decision table at their edges."""

from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.builders import a_report, decided, of, openers, parts

BREACH = "STUDY_CONCLUDED:BREACH"
RECOMMENDED = "SUPERVISOR_CONCLUDED:RECOMMENDED"
SILENT = "PPK_CONCLUDED:SILENT"


@pytest.mark.parametrize(
    ("handled_on", "supervisor"),
    [
        ("2024-08-23", "KASN"),
        ("2024-08-24", "BKN"),
        ("2024-09-03", "BKN"),
        ("2024-09-04", "BKN"),
        ("2025-10-16", "BKN"),
    ],
)
def test_the_supervisor_follows_the_day_of_handling(judge: Judge, handled_on: str, supervisor: str) -> None:
    report = a_report(
        incident__occurred_on="2024-07-28", incident__known_on="2024-07-29", reported_on="2024-07-30"
    )
    decision = decided(judge, report, handled_on)
    acting = {agency for agency, role, when in parts(decision) if role == "ACTION" and when == BREACH}
    assert acting == {supervisor}


def test_the_gap_after_kasn_and_the_court_s_order_are_questions(judge: Judge) -> None:
    asked = {
        day: any(q.rule == "asn.supervisor" for q in decided(judge, a_report(), day).persons[0].review)
        for day in ("2024-09-03", "2024-09-04", "2025-10-15", "2025-10-16")
    }
    assert list(asked.values()) == [True, False, False, True]


@pytest.mark.parametrize(("day", "class_"), [("2024-09-21", "KODE_ETIK"), ("2024-09-22", "DISIPLIN_BERAT")])
def test_designation_moves_an_act_from_ethics_to_discipline(judge: Judge, day: str, class_: str) -> None:
    report = a_report(incident__occurred_on=day, incident__known_on=day, reported_on=day)
    assert decided(judge, report, "2024-10-31").persons[0].class_ == class_


def test_the_gravest_of_several_acts_counts(judge: Judge) -> None:
    report = a_report()
    report["acts"].append({"person": "p1", "code": "PARTY_MEMBERSHIP", "beneficiary": "PARTAI"})
    assert decided(judge, report, "2024-10-31").persons[0].class_ == "PEMBERHENTIAN"


def test_a_functional_post_is_a_question_and_gakkumdu_is_told_why_not(judge: Judge) -> None:
    person = decided(judge, a_report(), "2024-10-31").persons[0]
    because = next(n for n in person.not_assigned if n.agency == "GAKKUMDU").because
    assert [(o.fact, o.is_, o.needs) for o in because] == [("post_kind", "FUNGSIONAL", ("STRUKTURAL",))]
    assert any(q.rule == "gakkumdu.pilkada.functional" for q in person.review)


@pytest.mark.parametrize(
    ("post", "kind"), [("CAMAT", "UNKNOWN"), ("Lurah Sukamaju", "PELAKSANA"), ("", "STRUKTURAL")]
)
def test_officials_go_to_gakkumdu_after_designation_only(judge: Judge, post: str, kind: str) -> None:
    after = a_report(person__post=post, person__post_kind=kind)
    day = "2024-09-21"
    before = a_report(
        person__post=post,
        person__post_kind=kind,
        incident__occurred_on=day,
        incident__known_on=day,
        reported_on=day,
    )
    assert "GAKKUMDU" in openers(decided(judge, after, "2024-10-31"))
    assert "GAKKUMDU" not in openers(decided(judge, before, "2024-10-31"))


@pytest.mark.parametrize(("day", "told"), [("2024-11-13", False), ("2024-11-14", True)])
def test_soldiers_are_punishable_since_the_court_s_decision(judge: Judge, day: str, told: bool) -> None:
    report = a_report(
        person__status="TNI", incident__occurred_on=day, incident__known_on=day, reported_on=day
    )
    assert ("GAKKUMDU" in openers(decided(judge, report, "2024-11-20"))) is told


NOT_ASN = {
    "NON_ASN": "EMPLOYER",
    "KEPALA_DESA": "PEMDA",
    "PERANGKAT_DESA": "PEMDA",
    "TNI": "POM_TNI",
    "POLRI": "POLRI",
    "KEPALA_DAERAH": "KEMENDAGRI",
    "PENYELENGGARA_PEMILU": "KPU",
    "PENDAMPING_SOSIAL": "EMPLOYER",
}


@pytest.mark.parametrize(("status", "agency"), NOT_ASN.items())
def test_people_who_are_not_civil_servants_never_meet_the_supervisor(
    judge: Judge, status: str, agency: str
) -> None:
    decision = decided(judge, a_report(person__status=status), "2024-10-31")
    assert (agency, "ACTION", BREACH) in parts(decision)
    assert not {"KASN", "BKN", "PPK"} & {a.agency.value for a in of(decision)}
    assert decision.persons[0].class_ == "NOT_ASN"


def test_an_acting_head_of_region_is_not_punished_by_himself(judge: Judge) -> None:
    decision = decided(judge, a_report(person__status="PJ_KEPALA_DAERAH"), "2024-10-31")
    assert ("KEMENDAGRI", "ACTION", RECOMMENDED) in parts(decision)
    assert ("KEMENDAGRI", "COPY", BREACH) in parts(decision)
    assert "PPK" not in {a.agency.value for a in of(decision)}


OFFICES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "kabkota:52.04", "kabkota:52.04"),
    ({"person__employer": {"kind": "PUSAT", "region": "kemendagri:52.04"}}, "kabkota:52.04", "pusat"),
    ({"person__employer": {"kind": "PROVINSI", "region": "kemendagri:52.04"}}, "prov:52", "prov:52"),
    ({"incident__regions_touched": ["kemendagri:52.04", "kemendagri:52.05"]}, "prov:52", "kabkota:52.04"),
    ({"incident__region": "kemendagri:52"}, "prov:52", "kabkota:52.04"),
    ({"person__employer": None}, "kabkota:52.04", ""),
]


@pytest.mark.parametrize(("change", "bawaslu", "ppk"), OFFICES)
def test_offices_follow_the_place_and_the_employer(
    judge: Judge, change: dict[str, Any], bawaslu: str, ppk: str
) -> None:
    decision = decided(judge, a_report(**change), "2024-10-31")
    offices = {(a.agency.value, a.role.value, a.when): a.office for a in of(decision)}
    assert offices["BAWASLU", "ACTION", "OPENED"] == bawaslu
    assert (offices["PPK", "ACTION", RECOMMENDED] or "") == ppk


def test_the_home_office_is_informed_of_an_event_elsewhere(judge: Judge) -> None:
    report = a_report(person__employer={"kind": "KABUPATEN", "region": "kemendagri:52.05"})
    mine = [(a.office, a.role.value) for a in of(decided(judge, report, "2024-10-31")) if a.when == "OPENED"]
    assert ("kabkota:52.04", "ACTION") in mine
    assert ("kabkota:52.05", "INFORMATION") in mine


@pytest.mark.parametrize(("handled_on", "shared"), [("2023-03-20", False), ("2023-03-21", True)])
def test_the_satgas_shares_one_view_from_its_first_day(judge: Judge, handled_on: str, shared: bool) -> None:
    report = a_report(
        election__kind="PEMILU",
        election__office="DPR",
        incident__occurred_on="2023-03-01",
        incident__known_on="2023-03-01",
        reported_on="2023-03-02",
    )
    told = openers(decided(judge, report, handled_on))
    assert told == ({"BAWASLU", "KASN", "BKN", "KEMENPANRB", "KEMENDAGRI"} if shared else {"BAWASLU"})


def test_sbt_without_a_number_goes_to_lapor_and_with_one_to_the_satgas(judge: Judge) -> None:
    without = decided(judge, a_report(source={"channel": "SBT"}, person__nip=None), "2024-10-31")
    with_number = decided(judge, a_report(source={"channel": "SBT"}), "2024-10-31")
    assert ("SP4N_LAPOR", "ACTION", "OPENED") in parts(without)
    assert ("BAWASLU", "ACTION", "OPENED") not in parts(without)
    satgas = {agency for agency, role, when in parts(with_number) if (role, when) == ("ACTION", "OPENED")}
    assert satgas == {"BAWASLU", "BKN", "KEMENPANRB", "KEMENDAGRI"}
    assert ("BAWASLU", "ACTION", "SATGAS_VERIFIED:VALID") in parts(with_number)


@pytest.mark.parametrize(
    ("reported_on", "kind", "late"),
    [
        ("2024-10-30", "PILKADA", False),
        ("2024-10-31", "PILKADA", True),
        ("2024-11-01", "PEMILU", False),
        ("2024-11-02", "PEMILU", True),
    ],
)
def test_the_last_day_is_in_time_in_the_unit_of_the_election_law(
    judge: Judge, reported_on: str, kind: str, late: bool
) -> None:
    report = a_report(election__kind=kind, election__office=None, reported_on=reported_on)
    assert decided(judge, report, "2024-11-10").admissibility.late is late


def test_defects_are_named_and_refuse_nothing(judge: Judge) -> None:
    report = a_report(
        reporter={"kind": "VOTER"},
        evidence=None,
        person__nip=None,
        person__employer=None,
        reported_on="2024-11-30",
    )
    decision = decided(judge, report, "2024-11-30")
    assert decision.admissibility.defects == (
        "LATE",
        "REPORTER_NAME",
        "REPORTER_ADDRESS",
        "NO_EVIDENCE",
        "PERSON_UNIDENTIFIED",
    )
    assert ("BAWASLU", "ACTION", "OPENED") in parts(decision)


def test_an_identified_person_is_decided_anew(judge: Judge) -> None:
    report = a_report(person__status="UNKNOWN", person__nip=None, person__employer=None)
    progress = [
        {
            "event": "IDENTIFIED",
            "person": "p1",
            "on": "2024-11-01",
            "status": "PNS",
            "nip": "198609262015051001",
            "employer": {"kind": "KABUPATEN", "region": "kemendagri:52.04"},
        }
    ]
    assert "BKN" not in {a.agency.value for a in of(decided(judge, report, "2024-11-02", []))}
    assert ("BKN", "ACTION", BREACH) in parts(decided(judge, report, "2024-11-02", progress))


def test_every_agency_is_assigned_or_explained_never_both(judge: Judge) -> None:
    person = decided(judge, a_report(), "2024-10-31").persons[0]
    assigned = {a.agency for a in person.assignments}
    explained = {n.agency for n in person.not_assigned}
    assert assigned | explained == set(type(next(iter(assigned))))
    assert not assigned & explained
    assert all(n.because for n in person.not_assigned)


def test_without_progress_no_assignment_speaks_of_being_active(judge: Judge) -> None:
    document: Any = decided(judge, a_report(), "2024-10-31").document()
    assert all("active" not in a for a in document["persons"][0]["assignments"])


def test_nobody_says_of_an_unknown_person_that_he_is_no_civil_servant(judge: Judge) -> None:
    person = decided(judge, a_report(person__status="UNKNOWN"), "2024-10-31").persons[0]
    assert person.class_ == "UNDETERMINED"
    assert any(q.rule == "person.identify" for q in person.review)


@pytest.mark.parametrize(
    "post", ["Plt. Camat Gerung", "PJ. LURAH", "Sekretaris Daerah", "Kepala Dinas Pendidikan"]
)
def test_an_official_is_recognised_in_the_words_people_use(judge: Judge, post: str) -> None:
    decision = decided(judge, a_report(person__post=post, person__post_kind=None), "2024-10-31")
    assert "GAKKUMDU" in openers(decision)


def test_whom_an_act_favours_is_asked_where_nobody_said_it(judge: Judge) -> None:
    review = decided(judge, a_report(act__beneficiary=None), "2024-10-31").persons[0].review
    assert any(q.rule == "gakkumdu.pilkada.whom" for q in review)
