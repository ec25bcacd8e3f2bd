"""What comes from outside is read whole, or every fault is named at once."""

import json
from typing import Any

import pytest

from contracts.door import read_json, read_progress, read_report
from contracts.faults import InvalidDocument
from tests.builders import TODAY, a_report


def faults(document: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        read_report(document, TODAY)
    return {fault.pointer: str(fault) for fault in caught.value.faults}


def test_a_valid_report_is_read() -> None:
    assert read_report(a_report(), TODAY).persons[0].nip == "198609262015051001"


def test_absent_and_null_mean_the_same() -> None:
    report = a_report(
        source=None, evidence=None, person__employer=None, incident__place=None, reported_on=None
    )
    assert read_report(report, TODAY).source is None


def test_a_misspelt_code_is_named_with_the_nearest_one() -> None:
    assert faults(a_report(person__status="PSN")) == {
        "/persons/0/status": "persons.0.status: 'PSN' is not a status; did you mean 'PNS'?"
    }


def test_an_unknown_field_is_refused_with_the_nearest_one() -> None:
    found = faults(a_report(person__statuss="PNS"))
    assert found["/persons/0/statuss"].endswith("is not a field here; did you mean 'status'?")


def test_all_faults_are_named_at_once_those_of_form_and_those_of_meaning() -> None:
    report = a_report(
        person__status="PSN",
        incident__known_on="2024-10-01",
        incident__region="kemendagri:99.99",
        act__person="p9",
    )
    assert set(faults(report)) == {
        "/persons/0/status",
        "/incident/known_on",
        "/incident/region",
        "/acts/0/person",
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"incident__known_on": "2024-10-21"}, "/incident/known_on"),
    ({"reported_on": "2024-10-22"}, "/reported_on"),
    ({"reported_on": "2099-01-01"}, "/reported_on"),
    ({"incident__occurred_on": "2024-02-30"}, "/incident/occurred_on"),
    ({"incident__occurred_on": 1729555200}, "/incident/occurred_on"),
    ({"incident__occurred_on": "2024-10-22T00:00:00Z"}, "/incident/occurred_on"),
    ({"incident__region": "52.04"}, "/incident/region"),
    ({"incident__region": "kemendagri:92.71"}, "/incident/region"),
    ({"incident__region": "bawaslu:14.09"}, "/incident/region"),
    ({"narrative": "nul\x00"}, "/narrative"),
    ({"narrative": "kiri\u202ekanan"}, "/narrative"),
    ({"narrative": "\ud800"}, "/narrative"),
    ({"narrative": ""}, "/narrative"),
    ({"narrative": "x" * 20_001}, "/narrative"),
    ({"person__name": "dua\nbaris"}, "/persons/0/name"),
    ({"person__name": "x" * 201}, "/persons/0/name"),
    ({"person__post": "x" * 101}, "/persons/0/post"),
    ({"incident__place": "x" * 301}, "/incident/place"),
    ({"act__note": "x" * 2_001}, "/acts/0/note"),
    ({"person__nip": "\uff11" * 18}, "/persons/0/nip"),
    ({"person__nip": "198613262015051001"}, "/persons/0/nip"),
    ({"acts": []}, "/acts"),
    ({"schema": "netral.report.v2"}, "/schema"),
    ({"election__year": "2024"}, "/election/year"),
    ({"election__year": True}, "/election/year"),
    ({"election__psu": "yes"}, "/election/psu"),
    ({"evidence": [{"sha256": "z" * 64}]}, "/evidence/0/sha256"),
]


@pytest.mark.parametrize(("change", "pointer"), REFUSED, ids=[f"{p}={str(c)[:40]}" for c, p in REFUSED])
def test_what_the_contract_refuses_is_refused_by_its_field_alone(
    change: dict[str, Any], pointer: str
) -> None:
    assert list(faults(a_report(**change))) == [pointer]


def test_line_feed_and_tab_are_allowed_in_prose_only() -> None:
    assert read_report(a_report(narrative="a\n\tb", act__note="c\nd"), TODAY)


def test_two_persons_may_not_share_a_ref() -> None:
    report = a_report()
    report["persons"].append(dict(report["persons"][0]))
    assert "also the ref of person 0" in faults(report)["/persons/1/ref"]


def test_more_than_200_persons_are_refused() -> None:
    report = a_report()
    report["persons"] = [{"ref": f"p{n}", "status": "PNS"} for n in range(201)]
    report["acts"][0]["person"] = "p0"
    assert "more than 200" in faults(report)["/persons"]


def test_a_fault_never_repeats_free_text() -> None:
    found = faults(a_report(person__nip="rahasia-4711", reporter__email="bukan alamat 4711"))
    assert "4711" not in "".join(found.values())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[" * 100_000, "nested"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
    ],
)
def test_bytes_that_are_no_json_are_explained(raw: bytes, says: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_json(raw)
    assert says in str(caught.value.faults[0])


@pytest.mark.parametrize("raw", [None, 3, "x", [], {}])
def test_any_json_value_gets_faults_not_an_exception(raw: Any) -> None:
    assert faults(raw)


def test_a_result_that_does_not_belong_to_its_event_is_a_fault() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_progress(json.loads('[{"event": "STUDY_CONCLUDED", "result": "SILENT", "on": "2024-11-05"}]'))
    assert "BREACH" in str(caught.value.faults[0])


def test_a_misspelt_event_is_named_with_its_place() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_progress([{"event": "STUDY_CONCLUDE", "result": "BREACH", "on": "2024-11-05"}])
    assert str(caught.value.faults[0]) == (
        "progress.0.event: 'STUDY_CONCLUDE' is not a progress event; did you mean 'STUDY_CONCLUDED'?"
    )


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    assert read_json(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"narrative": " \n\t "}, "/narrative", "blank"),
        ({"reporter__email": "warga"}, "/reporter/email", "name@domain"),
    ],
)
def test_a_blank_story_and_a_broken_address_get_their_cure(
    change: dict[str, Any], pointer: str, says: str
) -> None:
    assert says in faults(a_report(**change))[pointer]


def test_only_what_the_contract_names_is_required() -> None:
    report = {
        "schema": "netral.report.v1",
        "election": {"kind": "PILKADA", "year": 2024},
        "incident": {"occurred_on": "2024-10-22", "known_on": "2024-10-23", "region": "kemendagri:52.04"},
        "persons": [{"ref": "p1", "status": "PNS", "employer": {}}],
        "acts": [{"person": "p1", "code": "OTHER"}],
        "narrative": "x",
        "evidence": [{}],
        "reporter": {"kind": "ANONYMOUS"},
        "source": {},
    }
    assert read_report(report, TODAY)
