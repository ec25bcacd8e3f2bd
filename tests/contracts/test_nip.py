"""NIP and NI PPPK are checked by structure; spaced forms are the same number."""

import pytest

from contracts.nip import normalised, problem_with


@pytest.mark.parametrize(
    "text",
    ["198609262015051001", "19860926 201505 1 001", "NIP. 19860926 201505 1 001", "199009132025242014"],
)
def test_numbers_of_pns_and_pppk_are_accepted_in_their_spellings(text: str) -> None:
    assert problem_with(text) is None
    assert len(normalised(text)) == 18


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("19860926201513100", "17 digits"),
        ("198609262015131001", "digits 13 and 14"),
        ("198613262015051001", "birth date"),
        ("198609262015053001", "digit 15"),
        ("198609262015051000", "serial 000"),
        ("201009262015051001", "less than 15"),
        ("１９８６０９２６２０１５０５１００１", "ASCII"),
    ],
)
def test_a_malformed_number_is_refused_with_the_reason(text: str, says: str) -> None:
    assert says in str(problem_with(text))
