"""Who stands for an office on a day, and where one writes to it."""

from datetime import date

from contracts.codes import Agency
from contracts.directory import WHOLE, Directory, Place
from tests.notifications.offices import a_term

END, AFTER = date(2024, 8, 23), date(2024, 8, 24)
KASN, BKN = Place(Agency.KASN, WHOLE), Place(Agency.BKN, WHOLE)
BANYUASIN, MUSI = Place(Agency.PPK, "kabkota:16.07"), Place(Agency.PPK, "kabkota:16.06")
KANREG = Place(Agency.BKN, "kanreg:07")


def directory(successors: dict[Place, str | None]) -> Directory:
    """Five offices, of which those that are given end on END."""
    found = Directory()
    for place in (KASN, BKN, BANYUASIN, MUSI, KANREG):
        ended = {"valid_until": END, "successor": successors[place]} if place in successors else {}
        covers = ("prov:16",) if place == KANREG else ()
        found.hear(place, 1, (a_term(place, covers=covers, **ended),))
    return found


def test_a_body_is_written_to_until_its_last_day_and_then_its_successor_s_office_of_the_same_place() -> None:
    found = directory({KASN: "BKN"})
    assert found.heir(Agency.KASN, "prov:16", END) == (Agency.KASN, "prov:16")
    assert found.heir(Agency.KASN, "prov:16", AFTER) == (Agency.BKN, "prov:16")
    assert (found.address_of(Agency.KASN, "prov:16", END) or "").startswith("kasn@")
    assert (found.address_of(Agency.KASN, "prov:16", AFTER) or "").startswith("bkn.kanreg-07@")
    reader = found.reader(Agency.KASN, "prov:16", AFTER)
    assert reader
    assert reader[0] == KANREG


def test_an_office_that_ended_is_followed_by_its_successor_before_its_body_answers() -> None:
    found = directory({BANYUASIN: "PPK/kabkota:16.06"})
    assert found.heir(Agency.PPK, "kabkota:16.07", AFTER) == (Agency.PPK, "kabkota:16.06")


def test_a_body_that_ended_without_a_successor_is_not_written_to() -> None:
    found = directory({KASN: None})
    assert found.address_of(Agency.KASN, "pusat", AFTER) is None
    assert found.reader(Agency.KASN, "pusat", AFTER) is None


def test_bodies_that_name_each_other_as_successors_end_the_search() -> None:
    found = directory({KASN: "BKN", BKN: "KASN"})
    assert found.address_of(Agency.KASN, "pusat", AFTER) is None
