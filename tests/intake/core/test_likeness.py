"""Two reports side by side: which persons, numbers, posts, acts, places and days make somebody be asked, and why."""

from datetime import date
from typing import Any

import pytest

from contracts.matches import Reason
from services.intake.core.matching import MOST_COMPARED, Told, Who, likeness, told_by

NUMBER = "198501012010011001"
DAY = date(2024, 10, 22)
ABOUT = {Reason.SAME_REGENCY, Reason.SAME_DAY, Reason.SAME_ACT}
"""What two reports that differ in their persons alone have in common."""


def told(*persons: Who, **changed: Any) -> Told:
    plain = Told(
        persons, "kemendagri:52.04", DAY, frozenset({"DISPLAY_MATERIAL"}), frozenset(), ("PILKADA", 2024)
    )
    return plain._replace(**changed)


def who(name: str = "", nip: str = "", post: str = "", status: str = "PNS") -> Who:
    return Who(nip, name, post, status)


def why(one: Told, other: Told) -> set[Reason] | None:
    """The reasons to ask; None where nobody is asked. It is the same whichever report is looked at first."""
    found, again = likeness(one, other), likeness(other, one)
    assert (found and found.score) == (again and again.score)
    return set(found.reasons) if found else None


def persons(one: Who, other: Who) -> set[Reason] | None:
    found = why(told(one), told(other))
    return None if found is None else found - ABOUT


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        (NUMBER, {Reason.SAME_NIP}),
        ("198501012010011012", {Reason.SIMILAR_NIP}),
        ("198501012010011123", None),
    ],
)
def test_a_number_with_up_to_two_wrong_digits_may_be_a_slip(number: str, reasons: set[Reason] | None) -> None:
    assert persons(who("Kenari Satu", NUMBER), who("Kenari Satu", number)) == reasons
    assert persons(who(nip=NUMBER), who(nip=number)) == reasons


def test_a_slip_in_the_number_of_somebody_with_another_name_is_none() -> None:
    assert persons(who("Kenari Satu", NUMBER), who("Merpati Gelatik", NUMBER[:-1] + "9")) is None


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        ("198501012021251777", {Reason.SIMILAR_NIP}),
        ("198501022021251777", None),
        ("198501012021252777", None),
        ("198501012021121777", None),
    ],
)
def test_a_renewed_contract_is_one_person_with_another_number(
    number: str, reasons: set[Reason] | None
) -> None:
    assert persons(who("Kenari Satu", "198501012021211001"), who("Kenari Satu", number)) == reasons
    assert persons(who(nip=number), who(nip="198501012021211001")) == reasons


def test_names_are_alike_the_same_or_another_s() -> None:
    assert persons(who("Kenari Satu"), who("Satu Kenari")) == {Reason.SAME_NAME}
    assert persons(who("Kepodang Kenari"), who("Kepodang Kenari Dua")) == {Reason.SIMILAR_NAME}
    assert persons(who("Kenari Satu"), who("Merpati Gelatik")) is None


def test_a_post_that_names_one_desk_tells_a_person_without_a_name_and_a_bare_word_does_not() -> None:
    desk = "Kepala Seksi Umum"
    assert persons(who(post=desk), who(post="KEPALA_SEKSI_UMUM")) == {Reason.SAME_POST}
    file = frozenset({"ab" * 32})
    for one, other, reason in ((desk, desk, Reason.SAME_POST), (desk, "Kepala Bidang Pasar", Reason.UNNAMED)):
        found = why(told(who(post=one), files=file), told(who(post=other), files=file))
        assert found == {reason, Reason.SAME_EVIDENCE, *ABOUT}
    assert Reason.SAME_POST not in (persons(who(post="Guru"), who(post="Guru")) or ())
    one, other = (told(who(status=status), files=file) for status in ("PNS", "PPPK"))
    assert (why(one, one) or set()) >= {Reason.UNNAMED}
    assert why(one, other) is None


def test_everybody_of_the_shorter_list_is_somebody_else_of_the_longer() -> None:
    first, second = who("Kenari Satu", NUMBER), who("Merpati Gelatik")
    assert why(told(first), told(first, second)) == {Reason.SAME_NIP, Reason.MORE_PERSONS, *ABOUT}
    assert why(told(first, second), told(second, first)) == {Reason.SAME_NIP, Reason.SAME_NAME, *ABOUT}
    assert why(told(first, who("Kenari Satu")), told(first, second)) is None
    assert why(told(first, second), told(first, who("Kutilang Nuri"))) is None
    assert why(told(second, second), told(second, who("Kutilang Nuri"))) is None


def test_of_very_many_persons_numbers_are_compared_and_names_are_not() -> None:
    def many(count: int, **known: bool) -> list[Who]:
        return [who("Kenari", f"{n:018}" if known else "") for n in range(count)]

    numbered = many(MOST_COMPARED * 5, numbered=True)
    assert why(told(*numbered), told(*numbered)) == {Reason.SAME_NIP, *ABOUT}
    assert why(told(*many(MOST_COMPARED)), told(*many(MOST_COMPARED))) == {Reason.SAME_NAME, *ABOUT}
    assert why(told(*many(MOST_COMPARED + 1)), told(*many(MOST_COMPARED + 1))) is None
    assert why(told(who("Kenari")), told(*many(MOST_COMPARED * 4))) is not None
    assert why(told(who("Kenari")), told(*many(MOST_COMPARED * 4 + 1))) is None


@pytest.mark.parametrize(
    ("acts", "reason"),
    [
        ({"DISPLAY_MATERIAL", "SUPPORT_LETTER"}, Reason.SAME_ACT),
        ({"SOCIAL_MEDIA_CAMPAIGN"}, Reason.SIMILAR_ACT),
        ({"OTHER"}, Reason.SIMILAR_ACT),
        ({"SUPPORT_LETTER"}, None),
    ],
)
def test_acts_that_two_witnesses_call_differently_are_alike(acts: set[str], reason: Reason | None) -> None:
    one, other = (told(who("Kenari Satu", NUMBER), acts=frozenset(a)) for a in ({"DISPLAY_MATERIAL"}, acts))
    assert why(one, other) == {Reason.SAME_NIP, Reason.SAME_REGENCY, Reason.SAME_DAY} | (
        {reason} if reason else set()
    )


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("kemendagri:52.04", "kemendagri:52.04", Reason.SAME_REGENCY),
        ("kemendagri:52", "kemendagri:52", Reason.SAME_PROVINCE),
        ("kemendagri:52.04", "kemendagri:52.71", Reason.SAME_PROVINCE),
        ("kemendagri:52.04", "kemendagri:33.01", None),
    ],
)
def test_places_are_one_regency_one_province_or_none(one: str, other: str, reason: Reason | None) -> None:
    first, second = (told(who("Kenari Satu", NUMBER), region=region) for region in (one, other))
    assert why(first, second) == (
        {Reason.SAME_NIP, reason, Reason.SAME_DAY, Reason.SAME_ACT} if reason else None
    )
    file = frozenset({"ab" * 32})
    assert Reason.SAME_EVIDENCE in (why(first._replace(files=file), second._replace(files=file)) or ())


def test_days_lie_at_most_three_apart_and_another_election_is_another_event() -> None:
    one = told(who("Kenari Satu", NUMBER))
    days = [why(one, one._replace(day=DAY.replace(day=DAY.day + apart))) for apart in range(5)]
    assert [found and found & {Reason.SAME_DAY, Reason.NEAR_DAY} for found in days] == [
        {Reason.SAME_DAY},
        *[{Reason.NEAR_DAY}] * 3,
        None,
    ]
    assert why(one, one._replace(election=("PEMILU", 2024))) is None


def test_evidence_without_a_digest_is_no_file_to_compare() -> None:
    report = {
        "persons": [{"status": "PNS"}],
        "incident": {"region": "kemendagri:52.04", "occurred_on": "2024-10-22"},
        "acts": [{"code": "OTHER"}],
        "evidence": [{"kind": "PHOTO"}, {"sha256": "AB" * 32}],
        "election": {"kind": "PILKADA", "year": 2024},
    }
    assert told_by(report).files == {"ab" * 32}
