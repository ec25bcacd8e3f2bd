"""What a clock that was wrong put off: a claim that no right clock made is dead once it was looked at for long enough."""

from services.runtime.due import Unchanged


def test_a_claim_is_dead_once_it_has_been_there_at_every_look_for_as_long_as_one_may_take() -> None:
    looks = Unchanged[str](60)
    assert looks.dead(["a"], 0) == []
    assert looks.dead(["a", "b"], 59.9) == []
    assert looks.dead(["a", "b"], 60) == ["a"]
    assert looks.dead(["a", "b"], 120) == ["a", "b"]


def test_a_claim_that_was_renewed_or_gone_at_one_look_is_counted_anew() -> None:
    looks = Unchanged[str](60)
    looks.dead(["a"], 0)
    assert looks.dead(["renewed"], 30) == []
    assert looks.dead(["a"], 60) == []
    assert looks.dead(["a"], 119) == []
    assert looks.dead(["a"], 120) == ["a"]
