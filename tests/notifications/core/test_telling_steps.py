"""Who is mailed a step: by its part now, its person and its office, and never who said it."""

from contracts.codes import Role
from contracts.steps import Owner
from services.notifications.core import telling
from services.notifications.core.matrix import matrix
from services.routing.core.life import opening
from tests.notifications.story import a_story

OWN, OTHER = "kabkota:52.04", "kabkota:52.71"


def mailed(story, persons, event, asked_at=None, **said):
    """The letter that each office gets when the persons of a case stand like that after a step of Bawaslu."""
    step = story.step(1, event, persons=tuple(persons), **said)
    words = step.data.said.model_copy(update={"office": asked_at})
    step = step.model_copy(update={"data": step.data.model_copy(update={"said": words})})
    notices = telling.on_stepped(step, (), matrix())
    return {(str(notice.agency), notice.office): notice.letter for notice in notices}


def having(matter, *parts, owner=None):
    """A person's matter with these parts: agency, office, role, whether it is active, and its rule."""
    names = ("agency", "office", "role", "active", "rule")
    made = [matter.parts[0].model_copy(update=dict(zip(names, part, strict=False))) for part in parts]
    owned = owner and Owner(agency=owner[0], office=owner[1], why="a.rule")
    return matter.model_copy(update={"parts": tuple(made), "owner": owned})


def test_who_has_a_part_now_is_mailed_by_its_role_and_nobody_whose_part_is_over_or_yet_to_come():
    (matter,) = opening(a_story().decided.data.decision)
    acts, hears = ("PPK", OWN, Role.ACTION), ("BKN", "pusat", Role.INFORMATION)
    over = [("KPU", OWN, Role.ACTION, False), ("KASN", "pusat", Role.INFORMATION, False)]
    persons = [having(matter, (*acts, True), (*hears, True), *over)]
    silent = {"event": "PPK_CONCLUDED", "result": "SILENT"}
    assert mailed(a_story(), persons, **silent) == {("PPK", OWN): "silent", ("BKN", "pusat"): "progress"}
    assert mailed(a_story(), persons, "TRANSFERRED") == {("PPK", OWN): "progress"}
    assert mailed(a_story(), persons, "DONE") == {("BKN", "pusat"): "progress"}


def test_what_was_said_of_one_person_is_mailed_to_those_of_that_person():
    first, second = opening(a_story(persons=2).decided.data.decision)
    persons = [
        having(first, ("BKN", "pusat", Role.INFORMATION, True), owner=("BKN", "pusat")),
        having(second, ("PPK", OWN, Role.INFORMATION, True), owner=("PPK", OWN)),
    ]
    story, both = a_story(persons=2), {("BKN", "pusat"), ("PPK", OWN)}
    assert mailed(story, persons, "DONE", person="p1").keys() == {("BKN", "pusat")}
    assert mailed(story, persons, "RETURN", person="p2").keys() == {("PPK", OWN)}
    assert mailed(story, persons, "DONE").keys() == mailed(story, persons, "RETURN").keys() == both


def test_a_matter_that_waits_for_the_operator_or_is_closed_is_returned_to_nobody_by_mail():
    (matter,) = opening(a_story().decided.data.decision)
    assert mailed(a_story(), [having(matter, owner=("OPERATOR", None))], "RETURN") == {}
    assert mailed(a_story(), [having(matter)], "RETURN") == {}


def test_who_said_it_is_not_mailed_what_it_said_but_another_office_of_its_agency_is():
    (matter,) = opening(a_story().decided.data.decision)
    parts = [("BAWASLU", office, Role.INFORMATION, True) for office in (OWN, OTHER)]
    assert mailed(a_story(), [having(matter, *parts)], "DONE").keys() == {("BAWASLU", OTHER)}


def test_who_is_asked_is_mailed_at_the_office_that_was_named_else_where_it_was_asked():
    (matter,) = opening(a_story().decided.data.decision)
    asked = [
        ("KPU", "prov:33", Role.INFORMATION, False, "case.transferred"),
        ("POLRI", "prov:34", Role.INFORMATION, False, "another.rule"),
        ("POLRI", OTHER, Role.INFORMATION, True, "case.transferred"),
    ]
    persons = [having(matter, *asked)]
    assert mailed(a_story(), persons, "TRANSFER", to="POLRI").keys() == {("POLRI", OTHER)}
    named = mailed(a_story(), persons, "TRANSFER", to="POLRI", asked_at="prov:52")
    assert named.keys() == {("POLRI", "prov:52")}
    assert mailed(a_story(), [having(matter)], "TRANSFER", to="POLRI").keys() == {("POLRI", None)}
