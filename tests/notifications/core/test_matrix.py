import pytest

from contracts.codes import RESULTS, ProgressEvent
from services.notifications.core.matrix import To, matrix, read_matrix
from services.notifications.core.words import NEWS, SUBJECTS

MATRIX = matrix()


def test_every_letter_says_what_it_withholds_and_somebody_gets_it():
    for name, kind in MATRIX.letters.items():
        assert kind.withhold
        assert name == "digest" or any(row.letter == name for row in MATRIX.told)
        assert name in SUBJECTS or name == "offered"


def test_only_news_is_optional_and_never_what_somebody_must_do():
    optional = {name for name, kind in MATRIX.letters.items() if kind.optional}
    assert optional == {"status", "progress"}


def test_the_crime_track_and_an_identity_are_told_by_nobody_s_mail():
    events = {event for row in MATRIX.told for event in row.events}
    assert not any(event.startswith("GAKKUMDU") for event in events)
    assert ProgressEvent.IDENTIFIED not in events


def test_every_outcome_is_told_to_the_reporter():
    closing = {"NO_BREACH", "NOT_REGISTERED", "NOT_PROVEN", "SANCTIONED"}
    ends = {f"{event}:{r}" for event, results in RESULTS.items() for r in results if r in closing}
    told = {event for row in MATRIX.told if row.to is To.REPORTER for event in row.events}
    assert ends | {"WITHDRAWN"} <= told


def test_all_news_has_words():
    news = {event for row in MATRIX.told if row.letter in ("status", "progress") for event in row.events}
    assert news <= set(NEWS)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (('letter = "routed"', 'letter = "nothing"'), "there is no letter nothing"),
        (('events = ["DECIDED"]', 'events = ["DECIDE"]'), "DECIDE is no event; write one of"),
        (("urgent = true", "urgent = true\noptional = true"), "urgent letter is neither"),
    ],
)
def test_a_mistake_in_the_matrix_is_named(changed, fault):
    from importlib.resources import files

    text = files("services.notifications").joinpath("matrix.toml").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=fault):
        read_matrix(text.replace(*changed))
