"""Which reports are compared at all: those of one regency, one number or one file, or a name that sounds alike nearby."""

from datetime import date

import pytest

from services.intake.core.blocking import MOST_PERSONS, Keys, keys_of
from services.intake.core.matching import Told, Who

LOMBOK, SUMBAWA, JAVA = "kemendagri:52.01", "kemendagri:52.04", "kemendagri:33.01"
NUMBER = "198501012010011001"


def keys(
    *persons: Who, region: str = LOMBOK, files: frozenset[str] = frozenset(), door: bytes = b"k"
) -> Keys:
    told = Told(persons, region, date(2024, 10, 22), frozenset(), files, ("PILKADA", 2024))
    return keys_of(told, door)


def who(name: str = "", nip: str = "") -> Who:
    return Who(nip, name, "", "PNS")


def meet(one: Who, other: Who, region: str = SUMBAWA) -> bool:
    """Whether reports of two regencies would be compared because of their persons."""
    return bool(keys(one).near & keys(other, region=region).near)


def test_reports_of_one_regency_are_compared_whoever_they_name() -> None:
    assert keys(who("Kutilang")).near & keys(who("Gelatik")).near
    assert not keys().near & keys(region=SUMBAWA).near


def test_one_number_is_found_in_the_whole_country_and_no_number_is_none() -> None:
    assert meet(who(nip=NUMBER), who(nip=NUMBER), JAVA)
    assert not meet(who(nip=NUMBER), who(nip=NUMBER[:-1] + "2"), JAVA)
    assert not meet(who(), who(), JAVA)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Kenari Satu", "Kenarri Stu", True),
        ("Kenari Satu", "Kepodang Dua", False),
        ("Nuri Kenari", "Nuri Kepodang", True),
        ("Al Kenari", "Al Kepodang", False),
        ("Muhamad Kenari", "Moh. Kepodang", False),
        ("A B C Kenari", "D E F Kenari", True),
    ],
)
def test_names_meet_in_a_word_that_sounds_alike_and_tells_one_from_another(
    one: str, other: str, alike: bool
) -> None:
    assert meet(who(one), who(other)) == alike


def test_a_name_is_looked_for_in_its_own_province_only() -> None:
    assert meet(who("Kenari"), who("Kenari"))
    assert not meet(who("Kenari"), who("Kenari"), JAVA)


def test_the_three_longest_words_of_a_name_are_its_keys() -> None:
    assert len(keys(who("Kenari Kepodang Merpati Gelatik Nuri")).near) == 1 + 3
    assert meet(who("Kenari Kepodang Merpati Nuri"), who("Kenari Kutilang"))
    assert not meet(who("Kenari Kepodang Merpati Nuri"), who("Nuri"))


def test_a_file_is_looked_for_among_all_reports_and_no_key_tells_what_it_was_made_of() -> None:
    found = keys(who("Kenari", NUMBER), files=frozenset({"ab" * 32}))
    assert found.ever == keys(region=JAVA, files=frozenset({"ab" * 32})).ever != frozenset()
    assert not (found.near | found.ever) & (
        keys(who("Kenari", NUMBER), files=frozenset({"ab" * 32}), door=b"other").near | {"ab" * 32, NUMBER}
    )


def test_of_very_many_persons_the_first_are_looked_for() -> None:
    many = [who(nip=f"{number:018}") for number in range(MOST_PERSONS + 5)]
    assert len(keys(*many).near) == 1 + MOST_PERSONS
