"""The region codes: the list, the faults in words, the clocks."""

from datetime import datetime, timedelta
from importlib.resources import files

import pytest

from contracts import regions


def _all() -> list[regions.Region]:
    lines = files("contracts").joinpath("data", "regions.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [regions.find("kemendagri:" + line.split(",", 1)[0]) for line in lines]


def test_the_current_edition_has_38_provinces_416_regencies_and_98_cities() -> None:
    kinds = [region.kind for region in _all() if region.current]
    assert [kinds.count(kind) for kind in ("PROVINSI", "KABUPATEN", "KOTA")] == [38, 416, 98]


def test_every_code_has_its_province_and_its_digits_tell_cities_from_regencies() -> None:
    for region in _all():
        assert regions.find("kemendagri:" + region.code[:2]).kind == "PROVINSI"
        if "." in region.code:
            assert (int(region.code[3:]) > 70) == (region.kind == "KOTA"), region.code


def test_every_superseded_code_leads_to_a_current_one_of_the_same_name() -> None:
    for region in _all():
        for successor in region.successors:
            heir = regions.find("kemendagri:" + successor)
            assert heir.current
            assert heir.name == region.name
            assert region.until is not None
            assert heir.since is not None
            assert heir.since - region.until == timedelta(days=1)


def test_every_region_of_a_province_lives_by_the_clock_of_the_province() -> None:
    for region in _all():
        if region.current:
            assert region.zone == regions.find("kemendagri:" + region.code[:2]).zone


@pytest.mark.parametrize(
    "code", ["kemendagri:52", "kemendagri:52.04", "kemendagri:96.71", "kemendagri:31.01"]
)
def test_a_code_of_the_current_edition_has_no_fault(code: str) -> None:
    assert regions.problem_with(code) is None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("kemendagri:92.71", "is superseded; write kemendagri:96.71 (Kota Sorong) (UU 29/2022)"),
        ("kemendagri:91.01", "is superseded; write kemendagri:93.01 (Kabupaten Merauke) (UU 14/2022)"),
        ("bawaslu:14.09", "belongs to the code system of Bawaslu; the same place is kemendagri:33.25"),
        ("bawaslu:27.09", "belongs to the code system of Bawaslu; translate it to kemendagri:PP.KK"),
        ("bps:3325", "belongs to the code system of BPS; translate it to kemendagri:PP.KK"),
        ("52.04", "is not a namespaced region code; write kemendagri:52.04"),
        ("Kemendagri:52.04", "has its namespace in capitals; write kemendagri:52.04"),
        ("kemendagri:5204", "lacks its dot; write kemendagri:52.04 (Kabupaten Sumbawa)"),
        (
            "kemendagri:92.71.01",
            "names a district or village, finer than a report needs; write kemendagri:96.71 (Kota Sorong)",
        ),
        (
            "kemendagri:52.14",
            "is not in the current edition (Kepmendagri 300.2.2-2138/2025); "
            "did you mean kemendagri:52.04 (Kabupaten Sumbawa)?",
        ),
        (
            "kemendagri:34.07",
            "is not in the current edition (Kepmendagri 300.2.2-2138/2025); "
            "did you mean kemendagri:34.04 (Kabupaten Sleman)?",
        ),
        (
            "kemendagri:19.88",
            "is not in the current edition (Kepmendagri 300.2.2-2138/2025); look it up in that list",
        ),
        (
            "kemendagri:20",
            "is not in the current edition (Kepmendagri 300.2.2-2138/2025); look it up in that list",
        ),
    ],
)
def test_a_fault_names_its_cause_and_its_cure(code: str, says: str) -> None:
    assert regions.problem_with(code) == says


@pytest.mark.parametrize(
    "code", ["kemendagri:٥٢.٠٤", "kemendagri:52.04\n", " kemendagri:52.04", "", "kemendagri:", ":"]
)
def test_digits_of_other_scripts_and_stray_characters_are_refused(code: str) -> None:
    assert regions.problem_with(code) is not None


def test_a_fault_never_repeats_what_is_not_a_code() -> None:
    assert "Warga" not in str(regions.problem_with("Warga Contoh"))
    assert "warga" not in str(regions.problem_with("warga:52.04"))


@pytest.mark.parametrize(
    ("code", "zone", "hours"),
    [
        ("kemendagri:11", "Asia/Jakarta", 7),
        ("kemendagri:31.71", "Asia/Jakarta", 7),
        ("kemendagri:62.71", "Asia/Jakarta", 7),
        ("kemendagri:63.01", "Asia/Makassar", 8),
        ("kemendagri:52.04", "Asia/Makassar", 8),
        ("kemendagri:65", "Asia/Makassar", 8),
        ("kemendagri:82", "Asia/Jayapura", 9),
        ("kemendagri:96.71", "Asia/Jayapura", 9),
    ],
)
def test_the_place_has_its_own_clock(code: str, zone: str, hours: int) -> None:
    found = regions.zone_of(code)
    assert found.key == zone
    assert found.utcoffset(datetime(2024, 10, 22)) == timedelta(hours=hours)


def test_a_code_is_taken_apart_into_its_levels() -> None:
    assert regions.bare("kemendagri:52.04") == "52.04"
    assert regions.province_of("kemendagri:52.04") == "52"
    assert regions.is_province("kemendagri:52")
    assert not regions.is_province("kemendagri:52.04")
    assert regions.name_of("kemendagri:52.04") == "Kabupaten Sumbawa"
    assert regions.name_of("kemendagri:51") == "Provinsi Bali"


def test_offices_are_named_for_a_reader() -> None:
    assert regions.label_of("pusat") == "Pusat"
    assert regions.label_of("prov:51") == "Provinsi Bali"
    assert regions.label_of("kabkota:52.04") == "Kabupaten Sumbawa"
    assert regions.label_of(None) == "belum diketahui"


@pytest.mark.parametrize("office", ["kabkota:99.99", "kota:52.04", ""])
def test_an_office_outside_the_list_is_an_error(office: str) -> None:
    with pytest.raises(KeyError):
        regions.label_of(office)


@pytest.mark.parametrize("code", ["bawaslu:14.09", "52.04", "kemendagri:99"])
def test_only_known_namespaced_codes_are_found(code: str) -> None:
    with pytest.raises(KeyError):
        regions.find(code)
