"""The parts of a person's matter after what its holders did: who is done, who may still read, and what a PPK still owes."""

from datetime import date
from typing import Any

from contracts.codes import Agency, Role
from contracts.decision import Assignment
from contracts.steps import MoveKind, Said
from services.routing.core.decide import Judge
from services.routing.core.hops import Hops
from services.routing.core.parts import (
    AGAIN,
    LIFT_BLOCK,
    STILL_OWES,
    acts,
    homes_of,
    is_silence,
    owes_sanction,
    parts_of,
)
from tests.routing.core.test_admitting import OTHER, OWN
from tests.routing.core.test_hops import at_polri, handed
from tests.routing.core.test_life import Case, at_ppk
from tests.routing.core.test_owners import held_by, matter, silent_once

SANCTION = {"when": "SUPERVISOR_CONCLUDED:RECOMMENDED", "deadline": AGAIN}


def a_part(agency: str = "PPK", office: str | None = OWN, **more: Any) -> Assignment:
    plain = {
        "role": "ACTION",
        "when": "OPENED",
        "rule": "a.rule",
        "basis": (),
        "deadline": None,
        "active": True,
    }
    return Assignment.model_validate({"agency": agency, "office": office, **plain, **more})


def active(case: Case, agency: str) -> list[tuple[str | None, str, str]]:
    found = [part for part in matter(case).parts if part.active and part.agency == agency]
    return [(part.office, str(part.role), part.rule) for part in found]


def test_an_agency_is_known_by_the_only_office_that_acts_and_a_central_one_by_its_centre() -> None:
    centre = {"KASN": "pusat", "BKN": "pusat", "KEMENDAGRI": "pusat", "KEMENPANRB": "pusat"}
    assert homes_of([]) == centre
    assert homes_of([a_part(), a_part(), a_part(office=None)]) == {**centre, "PPK": OWN}
    assert homes_of([a_part(office=OTHER, role="COPY")]) == centre
    assert homes_of([a_part(), a_part(office=OTHER)]) == centre
    assert homes_of([a_part("BKN", "prov:52")]) == {**centre, "BKN": "prov:52"}
    several = homes_of([a_part("BKN", "prov:52"), a_part("BKN", "prov:53")])
    assert several == {agency: office for agency, office in centre.items() if agency != "BKN"}


def test_only_a_duty_to_sanction_with_a_limit_is_one_whose_passing_is_silence() -> None:
    assert owes_sanction(a_part(**SANCTION))
    assert owes_sanction(a_part(rule=STILL_OWES))
    assert not owes_sanction(a_part(**{**SANCTION, "when": "OPENED"}))
    assert not owes_sanction(a_part(**{**SANCTION, "deadline": None}))
    assert not owes_sanction(a_part(**SANCTION, role="INFORMATION"))


def test_a_ppk_is_silent_on_the_last_day_of_its_own_limit_while_it_must_act(judge: Judge) -> None:
    now, last = matter(at_ppk(judge)), date(2024, 12, 2)
    (due,) = now.dues
    assert is_silence(now, "PPK", last)
    assert not is_silence(now, "PPK", date(2024, 12, 3))
    assert not is_silence(now, "BKN", last)
    other = due.model_copy(update={"agency": Agency.BKN, "last_day": date(2024, 12, 3)})
    assert is_silence(now.model_copy(update={"dues": (due, other)}), "PPK", last)
    assert not is_silence(now.model_copy(update={"dues": (due, other)}), "PPK", other.last_day)
    assert not is_silence(now.model_copy(update={"dues": (other,)}), "PPK", last)
    ended = tuple(part.model_copy(update={"active": False}) for part in now.parts)
    assert not is_silence(now.model_copy(update={"parts": ended}), "PPK", last)


def test_who_had_to_act_may_read_on_and_who_only_hears_of_something_later_may_not_yet(judge: Judge) -> None:
    case = at_ppk(judge)
    assert active(case, "BAWASLU") == [(OWN, "INFORMATION", "bawaslu.receives")]
    assert active(case, "BKN") == [
        ("prov:52", "COPY", "bkn.regional-copy"),
        ("pusat", "INFORMATION", "satgas.views.bkn"),
    ]
    assert active(at_polri(judge), "BAWASLU") == [(OWN, "INFORMATION", "bawaslu.receives")]


def test_what_was_only_copied_for_one_step_is_read_no_more_after_it(judge: Judge) -> None:
    case = silent_once(judge).say("BKN", "PPK_CONCLUDED", "WRONG_SANCTION", on=date(2024, 12, 10))
    assert [rule for _, role, rule in active(case, "KEMENDAGRI") if role == "INFORMATION"] == [
        "satgas.views.kemendagri"
    ]


def test_who_completed_what_it_had_to_do_is_told_on_and_must_act_again_when_it_is_triggered_again(
    judge: Judge,
) -> None:
    case = silent_once(judge).say("BKN", "DONE")
    assert "ppk.silent.supervisor" not in [rule for _, _, rule in active(case, "BKN")]
    assert "satgas.views.bkn" in [rule for _, _, rule in active(case, "BKN")]
    assert case.owner == "PPK"
    case.say("BKN", "GAKKUMDU_CONCLUDED", "ELEMENTS_NOT_MET").say(
        "BAWASLU", "GAKKUMDU_CONCLUDED", "ELEMENTS_MET"
    )
    assert case.owner == "PPK"
    assert case.say("NETRAL", "PPK_CONCLUDED", "SILENT", on=date(2024, 12, 24)).owner == "KEMENDAGRI"
    assert "ppk.silent.supervisor" in [rule for _, _, rule in active(case, "BKN")]


def test_whoever_is_identified_is_looked_at_again_by_who_was_done(judge: Judge) -> None:
    case = silent_once(judge).say("BKN", "DONE")
    for by in ("BAWASLU", "BKN"):
        case.say(by, "IDENTIFIED", status="PNS", numbered=True, person="p1")
    assert case.owner == "BKN"


def test_an_office_completes_its_own_part_and_a_key_of_the_whole_agency_that_of_each() -> None:
    done, two = Said(event=MoveKind.DONE, on=date(2024, 11, 4)), [a_part(), a_part(office=OTHER)]
    for office, acting in ((OWN, [OTHER]), (OTHER, [OWN]), (None, [])):
        parts = parts_of(two, [(done, ("PPK", office))], (), Hops(), None)
        assert [part.office for part in parts if acts(part)] == acting


def test_who_was_only_informed_of_what_is_over_reads_no_more() -> None:
    for role, readers in (("ACTION", 1), ("INFORMATION", 0), ("COPY", 0)):
        parts = parts_of([a_part(role=role, active=False)], (), (), Hops(), None)
        assert len([part for part in parts if part.active]) == readers


def test_an_office_that_passed_its_part_to_another_of_its_agency_reads_on(judge: Judge) -> None:
    case = handed(at_ppk(judge), "PPK", "PPK", OTHER)
    assert active(case, "PPK") == [(OTHER, "ACTION", "case.transferred"), (OWN, "INFORMATION", "asn.ppk")]


def test_a_part_ends_when_its_transfer_is_accepted_and_not_before_nor_by_another_s(judge: Judge) -> None:
    asked = at_ppk(judge).say("PPK", "TRANSFER", to="POLRI", office="prov:52")
    assert active(asked, "PPK") == [(OWN, "ACTION", "asn.ppk")]
    assert active(asked, "POLRI") == [("prov:52", "INFORMATION", "case.transferred")]
    asked.say("POLRI", "ACCEPT", by_office="prov:52")
    assert active(asked, "PPK") == [(OWN, "INFORMATION", "asn.ppk")]
    assert active(asked, "POLRI") == [("prov:52", "ACTION", "case.transferred")]
    refused = at_ppk(judge).say("PPK", "TRANSFER", to="POLRI").say("POLRI", "REFUSE", to="BKN")
    assert active(refused, "PPK") == [(OWN, "ACTION", "asn.ppk")]
    other = at_ppk(judge).say("OPERATOR", "TRANSFER", to="POLRI").say("POLRI", "ACCEPT")
    assert active(other, "PPK") == [(OWN, "ACTION", "asn.ppk")]


def test_what_goes_to_gakkumdu_leaves_its_part_to_who_passed_it(judge: Judge) -> None:
    case = handed(at_ppk(judge), "PPK", "GAKKUMDU")
    assert active(case, "PPK") == [(OWN, "ACTION", "asn.ppk")]
    assert case.owner == "GAKKUMDU"


def test_who_took_over_acts_once_whether_or_not_the_rules_name_it_too(judge: Judge) -> None:
    assert active(Case(judge).say("OPERATOR", "ASSIGN", to="BAWASLU"), "BAWASLU") == [
        (OWN, "ACTION", "bawaslu.receives")
    ]
    case = handed(at_ppk(judge), "PPK", "KEMENDAGRI", "pusat")
    assert ("pusat", "ACTION", "case.transferred") in active(case, "KEMENDAGRI")
    assert held_by(case) == ("KEMENDAGRI", "pusat")


def test_a_ppk_owes_the_sanction_whatever_else_is_said_until_it_sanctions(judge: Judge) -> None:
    case = silent_once(judge).say("BAWASLU", "GAKKUMDU_CONCLUDED", "ELEMENTS_NOT_MET").say("BKN", "BLOCK")
    assert (OWN, "ACTION", STILL_OWES) in active(case, "PPK")
    assert LIFT_BLOCK not in [part.rule for part in matter(case).parts]
    case.say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=date(2024, 12, 10))
    assert [rule for _, role, rule in active(case, "BKN") if role == "ACTION"] == [LIFT_BLOCK]
    assert STILL_OWES not in [part.rule for part in matter(case).parts]
    free = silent_once(judge).say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=date(2024, 12, 10))
    assert free.owner is None


def test_who_sanctioned_wrongly_owes_the_sanction_without_a_limit(judge: Judge) -> None:
    case = silent_once(judge).say("BKN", "PPK_CONCLUDED", "WRONG_SANCTION", on=date(2024, 12, 10))
    assert (OWN, "ACTION", STILL_OWES) in active(case, "PPK")
    assert [due.agency for due in matter(case).dues] == []


def test_of_those_above_a_recused_ppk_only_who_acts_has_its_limit(judge: Judge) -> None:
    parts = [
        p for p in matter(at_ppk(judge).say("OPERATOR", "RECUSE")).parts if p.rule == "case.superior-of-ppk"
    ]
    limited = {(p.role, p.deadline is not None) for p in parts if p.when == SANCTION["when"]}
    assert limited == {(Role.ACTION, True), (Role.COPY, False)}
