"""Near matches are found and strangers are left alone, on a labelled set; reasons are said without a name."""

from collections import Counter

import pytest

from contracts.matches import SENTENCES, Reason
from services.intake.core.blocking import keys_of
from services.intake.core.matching import chosen, likeness, told_by
from services.intake.core.names import similarity
from tests.intake.core.pairs import Letters, a_report, different, same

ROUNDS = 60
KEY = b"k" * 32


def labelled(kind):
    letters = Letters()
    return [(what, told_by(one), told_by(other)) for _ in range(ROUNDS) for what, one, other in kind(letters)]


def test_precision_and_recall_on_the_labelled_set():
    positives, negatives = labelled(same), labelled(different)
    missed = Counter(what for what, one, other in positives if not likeness(one, other))
    wrong = Counter(what for what, one, other in negatives if likeness(one, other))
    found = len(positives) - missed.total()
    assert found / len(positives) >= 0.97, missed
    assert found / (found + wrong.total()) >= 0.98, wrong
    assert max(missed.values(), default=0) <= ROUNDS / 4, missed
    assert max(wrong.values(), default=0) <= ROUNDS / 10, wrong


def test_what_is_alike_shares_a_key_so_that_it_is_compared_at_all():
    lost = Counter()
    for what, one, other in labelled(same):
        mine, theirs = keys_of(one, KEY), keys_of(other, KEY)
        close = abs((one.day - other.day).days) <= 3
        lost[what] += not (mine.ever & theirs.ever or (close and mine.near & theirs.near))
    assert lost.total() / len(labelled(same)) <= 0.01, lost


def test_likeness_is_the_same_both_ways():
    for _, one, other in labelled(same)[:200] + labelled(different)[:200]:
        assert (likeness(one, other) and likeness(one, other).score) == (
            likeness(other, one) and likeness(other, one).score
        )


def test_every_reason_is_said_in_both_languages():
    assert set(SENTENCES) == set(Reason)
    assert all(indonesian and english for indonesian, english in SENTENCES.values())


def test_reasons_tell_what_agrees():
    letters = Letters(1)
    one = a_report(letters)
    found = likeness(told_by(one), told_by({**one, "persons": [{**one["persons"][0], "post": "Camat"}]}))
    assert found.score == 1.0
    assert set(found.reasons) == {
        Reason.SAME_NAME,
        Reason.SAME_REGENCY,
        Reason.SAME_DAY,
        Reason.SAME_ACT,
        Reason.SAME_EVIDENCE,
    }


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Kanari Satu", "Drs. H. KANARI SATU, S.Pd., M.Si", True),
        ("Kanari Satu", "Kanari Satoe", True),
        ("Kanari Satu", "Kanari S.", True),
        ("Kanarisatu", "Kanari Satu", True),
        ("Moh. Kanari", "Muhammad Kanari", True),
        ("Kanari Satu", "Kanari Tiga", False),
        ("K. S.", "Kanari Satu", False),
        ("Drs. H.", "Drs. H.", False),
        ("", "Kanari", False),
    ],
)
def test_names_are_compared_without_titles_and_in_one_spelling(one, other, alike):
    assert (similarity(one, other) >= 0.8) is alike


def test_of_a_burst_of_near_copies_each_is_offered_with_the_first_only():
    letters = Letters(2)
    first = a_report(letters)
    burst = [
        told_by(
            {**first, "persons": [{**first["persons"][0], "name": f"{title} {first['persons'][0]['name']}"}]}
        )
        for title in ("H.", "Drs.", "Ir.", "Bapak")
    ]
    assert [place for place, _ in chosen(told_by(first), burst)] == [0]


def test_two_events_a_report_may_be_of_are_both_offered():
    letters = Letters(3)
    mine = a_report(letters)
    name = mine["persons"][0]["name"]
    others = [
        told_by(
            {**mine, "persons": [{**mine["persons"][0], "nip": letters.nip(), "name": f"{title} {name}"}]}
        )
        for title in ("Drs.", "Ir.")
    ]
    assert [place for place, _ in chosen(told_by(mine), others)] == [0, 1]


def test_fifty_six_persons_are_compared_by_name_in_little_time():
    letters = Letters(4)
    one = a_report(letters)
    one["persons"] = [{"ref": f"p{n}", "status": "PNS", "name": letters.name()} for n in range(56)]
    turned = {**one, "persons": [{**p, "name": f"{p['name']}, S.Pd."} for p in reversed(one["persons"])]}
    assert likeness(told_by(one), told_by(turned)).score >= 0.9


def test_keys_tell_nothing_without_the_key_of_the_door():
    told = told_by(a_report(Letters(5)))
    assert not keys_of(told, KEY).near & keys_of(told, b"x" * 32).near
