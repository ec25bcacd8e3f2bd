"""The stakeholder matrix, cell by cell: what each body sees of a report in each role, and nothing else."""

import csv
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.codes import Agency, Role
from contracts.report import Report
from services.routing.agencies.seeing import matrix, seen, viewers

DATA = Path(contracts.__file__).parent / "data"
PERSON = {
    "ref": "camat",
    "name": "Kanari",
    "nip": "198609262015051001",
    "status": "PNS",
    "post": "CAMAT",
    "post_kind": "STRUKTURAL",
    "employer": {"kind": "KABUPATEN", "region": "kemendagri:16.07", "name": "Kecamatan"},
}
REPORT: dict[str, Any] = {
    "schema": "netral.report.v1",
    "reported_on": "2024-10-25",
    "election": {"kind": "PILKADA", "year": 2024},
    "incident": {
        "occurred_on": "2024-10-22",
        "known_on": "2024-10-23",
        "region": "kemendagri:16.07",
        "place": "Lapangan",
        "online": False,
        "regions_touched": ["kemendagri:16.07"],
    },
    "persons": [PERSON, {**PERSON, "ref": "other", "name": "Orang lain"}],
    "acts": [
        {"person": "camat", "code": "SUPPORT_LETTER", "beneficiary": "CALON", "note": "Catatan"},
        {"person": "other", "code": "OTHER", "note": "Lain"},
    ],
    "narrative": "Cerita",
    "evidence": [{"sha256": "a" * 64, "media_type": "image/jpeg", "size": 1, "name": "foto dari budi.jpg"}],
    "reporter": {"kind": "VOTER"},
    "source": {"channel": "WEB", "reference": "SL-1"},
}
DOSSIER = {"report": REPORT, "refs": {"p1": "camat", "p2": "other"}}
FIELDS = [row["field"] for row in csv.DictReader((DATA / "visibility.csv").read_text().splitlines())]
PINNED = {
    # field: who sees it, of systems.md part 3, written here by hand and not read from the data
    "narrative": {("BAWASLU", "ACTION"), ("BKN", "ACTION"), ("KASN", "ACTION"), ("PPK", "ACTION")},
    "evidence.name": {("BAWASLU", "ACTION"), ("BKN", "ACTION"), ("KASN", "ACTION")},
    "reporter.kind": {("BAWASLU", "ACTION"), ("BKN", "ACTION"), ("KASN", "ACTION")},
}


def view(*groups: str) -> dict[str, Any]:
    return seen(DOSSIER, {"p1": frozenset(groups)})


def at(document: dict[str, Any], field: str) -> Any:
    root, _, name = field.partition(".")
    part = document.get(root)
    if name and isinstance(part, list):
        return part[0].get(name) if part else None
    return part.get(name) if name and part is not None else part


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("agency", "role"), sorted(viewers()))
def test_each_body_sees_in_each_role_what_its_cell_says(agency: str, role: str, field: str) -> None:
    group = viewers()[agency, role]
    full, got = at(view("STUDY"), field), at(view(group), field)
    match matrix()[field][group]:
        case "full":
            assert got == full
            assert full is not None
        case "masked":
            assert got == "*" * 16 + "01"
        case "-":
            assert got is None
            assert field in view(group)["withheld"]


@pytest.mark.parametrize("field", PINNED)
def test_the_cells_that_protect_people_are_those_of_the_law_notes(field: str) -> None:
    bodies = ("BAWASLU", "BKN", "KASN", "PPK", "KEMENDAGRI", "KEMENPANRB", "GAKKUMDU")
    sees = {
        (agency, role)
        for (agency, role), group in viewers().items()
        if agency in bodies and at(view(group), field) is not None
    }
    assert sees == PINNED[field]


def test_every_agency_has_a_group_in_every_role_and_every_field_of_a_report_a_row() -> None:
    assert set(viewers()) == {(str(agency), str(role)) for agency in Agency for role in Role}
    roots = {field.partition(".")[0] for field in FIELDS}
    assert roots == {field.alias or name for name, field in Report.model_fields.items()}
    for root in ("incident", "persons", "acts", "evidence", "source"):
        inner = REPORT[root][0] if isinstance(REPORT[root], list) else REPORT[root]
        assert {f"{root}.{name}" for name in inner} <= set(FIELDS)


def test_what_the_data_does_not_name_is_not_shown_whoever_asks() -> None:
    strange = {**REPORT, "secret": "x", "reporter": {"kind": "VOTER", "name": "Pelapor"}}
    found = seen({**DOSSIER, "report": strange}, {"p1": frozenset({"STUDY"})})
    assert "secret" not in found
    assert found["reporter"] == {"kind": "VOTER"}
    assert {"secret", "reporter.name"} <= set(found["withheld"])
    nobody = view()
    assert {name for name in nobody if nobody[name] not in ([], [{}])} == {"withheld"}


def test_of_persons_without_a_part_nothing_is_shown() -> None:
    found = view("STUDY")
    assert [person["ref"] for person in found["persons"]] == ["p1"]
    assert "Orang lain" not in str(found)
    assert "Lain" not in str(found["acts"])


def test_a_body_in_two_roles_sees_what_either_shows() -> None:
    assert at(view("INFORMED", "PRESS"), "persons.name") == "Kanari"
    mixed = seen(DOSSIER, {"p1": frozenset({"SANCTION"}), "p2": frozenset({"INFORMED"})})
    assert [person.get("name") for person in mixed["persons"]] == ["Kanari", None]
    assert mixed["narrative"] == "Cerita"


def test_a_reference_is_a_reference_and_no_more() -> None:
    found = view("REFERENCE")
    assert found.pop("withheld")
    assert found == {"schema": "netral.report.v1", "persons": [{"ref": "p1"}], "acts": [{"person": "p1"}]}
