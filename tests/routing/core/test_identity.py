"""Who a person is: two bodies must say the same, and what they say decides again."""

from contracts.steps import Matter
from services.routing.core.decide import Judge
from tests.routing.core.test_life import Case

KNOWN = {"status": "PNS", "employer": "KABUPATEN", "employer_region": "kemendagri:52.04", "person": "p1"}


def unknown(judge: Judge) -> Case:
    return Case(judge, person__status="UNKNOWN", person__nip=None, person__employer=None)


def matter(case: Case) -> Matter:
    return case.life().matters[0]


def named(case: Case, by: str, **changed: object) -> Case:
    return case.say(by, "IDENTIFIED", **{**KNOWN, **changed})


def agencies(case: Case) -> set[str]:
    return {str(part.agency) for part in matter(case).parts if part.role == "ACTION"}


def test_an_unclear_employer_has_no_ppk_until_two_bodies_name_it(judge: Judge) -> None:
    case = unknown(judge)
    assert "UNIDENTIFIED" in matter(case).marks
    assert "PPK" not in agencies(case)
    named(case, "BAWASLU")
    assert "CANDIDATE" in matter(case).marks
    assert "PPK" not in agencies(case)
    named(case, "BKN")
    assert [mark for mark in matter(case).marks if mark != "COMPLETE"] == ["IDENTIFIED"]
    assert {("PPK", "kabkota:52.04")} <= {(p.agency, p.office) for p in matter(case).parts}


def test_who_names_nobody_or_several_at_once_is_refused(judge: Judge) -> None:
    case = unknown(judge)
    assert "names nobody" in case.say("BAWASLU", "IDENTIFIED", person="p1").refused
    several = Case(judge, persons=[{"ref": "p1", "status": "UNKNOWN"}, {"ref": "p2", "status": "PNS"}])
    assert "is about one person" in several.say("BAWASLU", "IDENTIFIED", status="PNS").refused


def test_two_different_candidates_are_shown_as_a_dispute_with_a_question_and_nothing_moves(
    judge: Judge,
) -> None:
    case = named(
        named(unknown(judge), "BAWASLU"), "BKN", employer="PROVINSI", employer_region="kemendagri:52"
    )
    assert "DISPUTED" in matter(case).marks
    assert [question.rule for question in matter(case).questions] == ["identity.disputed"]
    assert case.life().events == ()
    case.say("BAWASLU", "VOID", step=1)
    assert "DISPUTED" not in matter(case).marks
    named(case, "BAWASLU", employer="PROVINSI", employer_region="kemendagri:52")
    assert ("PPK", "prov:52") in {(p.agency, p.office) for p in matter(case).parts}
    assert matter(case).questions == ()


def test_the_same_words_with_another_number_are_another_person(judge: Judge) -> None:
    case = named(unknown(judge), "BAWASLU", numbered=True, number_mark="a" * 32)
    named(case, "BKN", numbered=True, number_mark="b" * 32)
    assert (case.life().events, "DISPUTED" in matter(case).marks) == ((), True)


def test_a_settled_identity_that_is_contradicted_is_disputed_and_stands_until_two_say_otherwise(
    judge: Judge,
) -> None:
    case = named(named(unknown(judge), "BAWASLU"), "BKN")
    named(case, "BKN", status="PPPK")
    assert {"IDENTIFIED", "DISPUTED"} <= set(matter(case).marks)
    assert [event.status for event in case.life().events] == ["PNS"]
    named(case, "BAWASLU", status="PPPK")
    assert [event.status for event in case.life().events] == ["PNS", "PPPK"]
    assert "DISPUTED" not in matter(case).marks


def test_a_settled_identity_is_taken_back_and_the_person_is_unknown_again(judge: Judge) -> None:
    case = named(named(unknown(judge), "BAWASLU"), "BKN")
    case.say("OPERATOR", "VOID", step=2)
    assert "CANDIDATE" in matter(case).marks
    assert "PPK" not in agencies(case)


def test_one_body_s_candidate_does_not_end_a_transfer(judge: Judge) -> None:
    case = unknown(judge).say("BAWASLU", "TRANSFER", to="POLRI")
    case.say("POLRI", "ACCEPT")
    named(case, "BAWASLU")
    assert case.owner == "POLRI"
    named(case, "BKN")
    assert case.owner == "BAWASLU"
