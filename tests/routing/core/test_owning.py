"""Why somebody must act next: whose part was triggered last, who took the file over, and why it waits for the operator."""

from contracts.steps import Heard
from services.routing.core.decide import Judge
from services.routing.core.hops import Hops
from services.routing.core.owning import owner_of
from tests.routing.core.test_hops import at_polri
from tests.routing.core.test_life import OPENED, Case, at_ppk
from tests.routing.core.test_owners import matter, silent_once
from tests.routing.core.test_parts import a_part

BREACH = Heard.model_validate({"event": "STUDY_CONCLUDED", "result": "BREACH", "on": OPENED})


def why(case: Case) -> str | None:
    owner = matter(case).owner
    return owner and owner.why


def test_the_part_that_was_triggered_last_leads_and_of_those_triggered_together_the_first() -> None:
    first, later = a_part("KPU"), a_part("BKN", when="STUDY_CONCLUDED:BREACH")
    assert owner_of([first, later], [BREACH], Hops(), "BREACH").agency == "BKN"
    assert owner_of([later, first], [BREACH], Hops(), "BREACH").agency == "BKN"
    assert owner_of([first, a_part("DKPP")], [BREACH], Hops(), "BREACH").agency == "KPU"


def test_who_took_a_file_over_owns_it_as_transferred_and_who_must_complete_it_as_returned(
    judge: Judge,
) -> None:
    case = at_polri(judge)
    assert why(case) == "case.transferred"
    assert why(case.say("POLRI", "RETURN", to="KPU")) == "returned"


def test_the_operator_reads_why_a_matter_waits_for_him(judge: Judge) -> None:
    assert why(at_ppk(judge).say("PPK", "RETURN")) == "queue.returned"
    assert why(at_ppk(judge).say("PPK", "REFUSE", to="BKN")) == "queue.refused"
    for recused, state, reason in (
        (True, "RECOMMENDED", "queue.no-superior"),
        (False, "RECOMMENDED", "queue.unroutable"),
        (True, "ROUTED", "queue.unroutable"),
        (True, "NOT_VERIFIED", "queue.not-verified"),
    ):
        owner = owner_of([], (), Hops(recused=recused), state)
        assert (owner.agency, owner.office, owner.why) == ("OPERATOR", None, reason)


def test_who_presses_a_silent_ppk_leads_before_the_ppk_that_still_owes(judge: Judge) -> None:
    assert why(silent_once(judge)) == "ppk.silent.supervisor"
    assert why(silent_once(judge).say("BKN", "DONE")) == "case.ppk-still-owes"
