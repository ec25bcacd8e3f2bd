"""The decision asks whether the PPK it names is the reported person himself, and changes nobody's part by it."""

import pytest

from services.routing.core.decide import Judge
from services.routing.core.superiors import ASKED
from tests.builders import a_report, decided, of, parts

HOME = {"kind": "KABUPATEN", "region": "kemendagri:52.04"}
CENTRE = {"kind": "PUSAT", "region": "kemendagri:52.04"}


def _asks(judge: Judge, report: dict[str, object], ref: str = "p1") -> bool:
    return ASKED in next(p for p in decided(judge, report, "2024-10-31").persons if p.ref == ref).review


@pytest.mark.parametrize(
    ("post", "employer"), [("PJ_BUPATI", HOME), ("Kepala Badan", CENTRE), ("Menteri", CENTRE)]
)
def test_a_post_that_may_be_the_ppk_s_own_is_asked_about(
    judge: Judge, post: str, employer: dict[str, str]
) -> None:
    report = a_report(person__post=post, person__employer=employer)
    assert _asks(judge, report)
    assert ("PPK", "ACTION", "SUPERVISOR_CONCLUDED:RECOMMENDED") in parts(
        decided(judge, report, "2024-10-31")
    )


@pytest.mark.parametrize("post", ["Guru", "Wakil Bupati", "Staf ahli bupati", "Kepala Badan", None])
def test_other_posts_of_a_region_are_not(judge: Judge, post: str | None) -> None:
    assert not _asks(judge, a_report(person__post=post, person__employer=HOME))


def test_staff_reported_with_their_head_of_region_are_asked_about_and_staff_of_others_are_not(
    judge: Judge,
) -> None:
    plain = a_report()
    other = {**plain["persons"][0], "ref": "p2", "employer": {"kind": "KOTA", "region": "kemendagri:52.71"}}
    head = {"ref": "p3", "status": "KEPALA_DAERAH", "employer": HOME}
    acts = [{**plain["acts"][0], "person": ref} for ref in ("p1", "p2", "p3")]
    report = a_report(persons=[plain["persons"][0], other, head], acts=acts)
    assert [_asks(judge, report, ref) for ref in ("p1", "p2", "p3")] == [True, False, False]
    assert any(
        part.agency == "PPK" and part.role == "ACTION" for part in of(decided(judge, report, "2024-10-31"))
    )


def test_who_turns_out_to_be_the_ppk_is_asked_about_from_then_on(judge: Judge) -> None:
    named = {"event": "IDENTIFIED", "person": "p1", "on": "2024-11-01", "status": "PNS", "post": "Pj. Bupati"}
    decision = decided(judge, a_report(), "2024-11-01", [named])
    assert ASKED in decision.persons[0].review
