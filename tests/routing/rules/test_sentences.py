"""Each version is one sentence in each language that says all of it, so that a lawyer can sign it."""

import pytest

from services.routing.core.rules import Both, Rule
from services.routing.core.vocabulary import FACTS
from services.routing.rules.sentences import Speaker, condition, conditions, listed
from tests.packaged import packaged_book

BOOK = packaged_book()
SPEAKER = Speaker(BOOK)


def rule(name: str) -> Rule:
    return next(rule for rule in BOOK.rules if rule.id == name)


def sentence(name: str, since: str) -> Both:
    number = next(n for n, version in enumerate(rule(name).history) if str(version.since) == since)
    return SPEAKER.sentence(rule(name), number)


def test_a_version_says_since_when_by_which_clock_if_what_who_acts_when_and_on_what_basis() -> None:
    said = sentence("asn.supervisor", "2024-09-04")
    assert said.id.startswith(
        "Sejak 4 September 2024 sampai sebelum 16 Oktober 2025 (menurut tanggal penanganan): jika status = PNS, CPNS,"
        " PPPK atau PJ_KEPALA_DAERAH, maka BKN (pusat) bertindak (ACTION) pada STUDY_CONCLUDED:BREACH, sampai"
        " PPK_CONCLUDED atau SUPERVISOR_CONCLUDED. Dasar: SE MenPANRB 4/2024, Perpres 92/2024, SKB 22 September 2022."
    )
    assert said.en.startswith(
        "From 4 September 2024 and before 16 October 2025 (by the day of handling): if status = PNS, CPNS, PPPK or"
        " PJ_KEPALA_DAERAH, then BKN (national office) acts (ACTION) at STUDY_CONCLUDED:BREACH, until PPK_CONCLUDED"
        " or SUPERVISOR_CONCLUDED. Basis: SE MenPANRB 4/2024, Perpres 92/2024, SKB 22 September 2022."
    )


def test_expected_law_is_marked_as_not_in_force() -> None:
    said = sentence("asn.supervisor", "2027-10-16")
    assert "(belum berlaku)" in said.id
    assert "(not in force)" in said.en
    assert "isinya belum diketahui" in said.id


def test_the_version_before_expected_law_has_no_end() -> None:
    assert "sampai sebelum" not in sentence("asn.supervisor", "2025-10-16").id


def test_a_repeal_says_that_nothing_follows() -> None:
    assert "aturan ini dicabut dan tidak ada penggantinya" in sentence("ppk.silent.bkn-copy", "2020-09-10").id


def test_a_question_and_a_note_are_part_of_the_sentence() -> None:
    said = sentence("asn.supervisor", "2024-08-24")
    assert "seseorang harus memutuskan: «KASN berhenti 24 Agustus 2024" in said.id
    assert said.en.endswith("Note (contested): Sources give 23 or 24 August 2024 as the end of KASN.")


def test_exceptions_are_named_on_both_sides() -> None:
    assert (
        "Mengesampingkan aturan asn.supervisor."
        in sentence("asn.supervisor.processed-by-kasn", "2024-09-04").id
    )
    assert (
        "Dikesampingkan bila berlaku aturan asn.supervisor.processed-by-kasn"
        in sentence("asn.supervisor", "2024-09-04").id
    )


def test_a_deadline_counts_in_its_own_unit() -> None:
    said = sentence("ppk.reported.ministry", "2017-04-12")
    assert "paling lama 3 hari kalender sejak OPENED" in said.id
    assert "within 3 calendar days since OPENED" in said.en


def test_only_a_person_may_give_a_manual_part() -> None:
    assert (
        "GAKKUMDU (of the place of the event) acts (ACTION) at OPENED, only where a person so decides"
        in sentence("gakkumdu.pilkada.functional", "2015-02-02").en
    )


def test_a_list_of_nearly_everything_names_what_it_leaves_out() -> None:
    nearly = frozenset(map(str, FACTS["act"])) - {"OTHER"}
    assert condition("act", nearly) == Both("perbuatan selain OTHER", "act other than OTHER")


def test_a_rule_without_conditions_holds_whatever_the_facts() -> None:
    assert conditions(Rule("r", "", Both("", ""), {}, "handling", ())).en == "whatever the facts"


@pytest.mark.parametrize(
    ("words", "text"), [(["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_words_are_listed_as_people_do(words: list[str], text: str) -> None:
    assert listed(words, "or") == text


def test_every_version_of_the_rulebook_has_its_sentence_with_everything_in_it() -> None:
    for each in BOOK.rules:
        for number, version in enumerate(each.history):
            said = SPEAKER.sentence(each, number)
            for text in (said.id, said.en):
                assert text.endswith(".")
                assert all(assign.agency in text and assign.when in text for assign in version.assigns)
                assert all(citation.source.title in text for citation in version.basis)
                assert version.class_ is None or version.class_ in text
                assert version.note is None or version.note.text.rstrip(".") in text
                assert all(fact_word in text for fact_word in each.exception_to)
