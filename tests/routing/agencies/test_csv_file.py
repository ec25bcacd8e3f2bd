"""A directory file is read whole or refused whole, and every mistake is named by its line and column."""

import csv
import io
import re
from datetime import date
from typing import Any

import pytest

from contracts import regions
from contracts.codes import Agency
from contracts.directory import WHOLE, Directory, Place
from services.routing.agencies.changing import changes, events_of
from services.routing.agencies.csv_cells import BrokenFile
from services.routing.agencies.csv_file import COLUMNS, packaged, read_directory
from tests.running import Clock

LINE: dict[str, Any] = {
    "agency": "BAWASLU",
    "office": "kabkota:16.07",
    "name_id": "Bawaslu Kabupaten Banyuasin",
    "name_en": "Bawaslu of Banyuasin",
    "kind": "KANTOR",
    "level": "KABKOTA",
    "valid_from": "2018-08-15",
    "channels": "EMAIL PULL",
    "duty_address": "piket@banyuasin.example",
}


def a_file(*lines: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows({**LINE, **line} for line in lines)
    return text.getvalue().encode()


def test_the_packaged_directory_names_every_agency_and_reaches_nobody() -> None:
    found = packaged()
    assert {place.agency for place in found if place.office == WHOLE} == set(Agency)
    for terms in found.values():
        for term in terms:
            assert term.duty_address is None or re.search(r"\.example$", term.duty_address)
    offices = {place.office for place in found}
    assert {"prov:16", "kabkota:16.07", "kabkota:64.02", "kabkota:63.08", "kabkota:18.72"} <= offices


def test_kasn_exists_until_its_end_and_bkn_takes_over() -> None:
    directory = Directory()
    for place, terms in packaged().items():
        directory.hear(place, 1, terms)
    assert directory.exists(Agency.KASN, date(2024, 8, 23))
    assert not directory.exists(Agency.KASN, date(2024, 8, 24))
    (term,) = directory.entries[Place(Agency.KASN, WHOLE)]
    assert term.successor == "BKN"


def test_an_office_that_is_not_listed_is_answered_for_by_whoever_covers_it_or_by_the_body() -> None:
    directory, day = Directory(), date(2024, 10, 1)
    for place, terms in packaged().items():
        directory.hear(place, 1, terms)
    assert directory.address_of(Agency.BKN, "prov:16", day) == "piket.kanreg-07@bkn.example"
    assert directory.address_of(Agency.BKN, "prov:52", day) == "piket@bkn.example"
    assert directory.address_of(Agency.KASN, "pusat", day) == "piket.pusat@bkn.example"


def test_a_national_directory_of_552_offices_is_one_file() -> None:
    codes = [code for code, region in regions._regions().items() if region.current]
    lines = [
        {
            "office": ("kabkota:" if "." in code else "prov:") + code,
            "level": "KABKOTA" if "." in code else "PROVINSI",
        }
        for code in codes
    ]
    assert len(read_directory(a_file(*lines))) == 38 + 514


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            {"agency": "BAWASLOE"},
            "line 2, column agency: 'BAWASLOE' is not known here; did you mean BAWASLU?",
        ),
        (
            {"office": "kabkota:99.99"},
            "line 2, column office: 'kabkota:99.99' is not known here; write pusat",
        ),
        ({"level": "PROVINSI"}, "line 2, column level: is PROVINSI, but the office is of level KABKOTA"),
        (
            {"region": "16.07"},
            "line 2, column region: is not a namespaced region code; write kemendagri:16.07",
        ),
        (
            {"region": "kemendagri:64.02"},
            "line 2, column region: is kemendagri:64.02, but the office lies in",
        ),
        (
            {"valid_from": "2024-13-01"},
            "line 2, column valid_from: '2024-13-01' is not a day of the calendar",
        ),
        ({"valid_until": "2018-01-01"}, "line 2, column valid_until: is before valid_from"),
        ({"successor": "KASNI"}, "line 2, column successor: 'KASNI' is not an agency"),
        ({"duty_address": "piket"}, "line 2, column duty_address: is not a mail address"),
        ({"zone": "GMT"}, "line 2, column zone: 'GMT' is not known here; write one of WIB, WITA, WIT"),
        ({"channels": "EMAIL FAX"}, "line 2, column channels: 'FAX' is not known here"),
        ({"covers": "prov:16 x"}, "line 2, column covers: 'x' is not known here"),
        ({"name_id": ""}, "line 2, column name_id: is empty; every line needs it"),
        ({"name_en": "a\x1b[31m"}, "line 2, column name_en: is longer than 300 characters or holds control"),
    ],
)
def test_a_mistake_is_named_by_line_and_column_with_its_cure(line: dict[str, str], says: str) -> None:
    with pytest.raises(BrokenFile) as broken:
        read_directory(a_file(line))
    assert broken.value.faults[0].startswith(says)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"agency,offise\n", "line 1, column offise: is no column here; did you mean office?"),
        (a_file({}) + b"BKN,pusat\n", "line 3, column 2: has 2 cells, the first line 17"),
        (a_file({}) + b"BKN,\xff\n", "line 3, column 1: is not UTF-8"),
        (a_file({}, {}), "line 3, column valid_from: BAWASLU/kabkota:16.07 has two terms on 2018-08-15"),
        (a_file(), "line 2, column agency: there is no office"),
        (b"", "line 1, column agency: is missing"),
    ],
)
def test_a_file_that_is_no_directory_says_why(raw: bytes, says: str) -> None:
    with pytest.raises(BrokenFile) as broken:
        read_directory(raw)
    assert broken.value.faults[0].startswith(says)


def test_only_what_differs_is_a_change_and_an_older_version_changes_nothing() -> None:
    directory, clock = Directory(), Clock()
    wanted = read_directory(a_file({}))
    (event,) = events_of(directory, changes(directory, wanted), clock())
    assert event.nats_subject == "agencies.BAWASLU.kabkota-16-07.1"
    directory.hear(event.data.place, event.data.version, event.data.terms)
    assert changes(directory, wanted) == []
    (change,) = changes(directory, read_directory(a_file({"duty_address": "lain@banyuasin.example"})))
    assert (change.what, change.fields) == ("CHANGED", ("duty_address",))
    directory.hear(change.place, 2, change.terms)
    directory.hear(event.data.place, event.data.version, event.data.terms)
    assert directory.entries[change.place] == change.terms
