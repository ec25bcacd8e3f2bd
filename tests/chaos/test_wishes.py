"""The plan of a random walk: drawn from its seed alone, and made of what the doors can read."""

from contracts.door import read_report
from tests.builders import TODAY
from tests.chaos.wishes import wishes


def test_the_same_seed_wishes_the_same_and_another_seed_something_else() -> None:
    assert list(wishes(7, 500)) == list(wishes(7, 500)) != list(wishes(8, 500))


def test_a_step_is_about_a_report_that_was_wished_before_and_every_report_can_be_read() -> None:
    reports = 0
    for wish in wishes(7, 2000):
        if wish.door == "reports":
            read_report(wish.body, TODAY)
            assert wish.about == reports
            reports += 1
        else:
            assert wish.about < reports
    assert reports > 300
