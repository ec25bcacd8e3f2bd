"""What only routing can tell is not told to be cured by starting what runs already."""

from collections.abc import Callable

import pytest

from services.cli.checks import law, queues
from services.cli.checks.finding import Finding, Verdict
from services.cli.errors import Stop


@pytest.mark.parametrize("check", [law.law, law.calendars, queues.matches])
def test_where_routing_answers_that_it_cannot_its_own_line_is_the_cure(
    check: Callable[[], Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object, **__: object) -> None:
        raise Stop("the service answered 503: The case database does not answer; try again later.")

    monkeypatch.setattr(law, "ask", cannot)
    monkeypatch.setattr(queues, "ask", cannot)
    found = check()
    assert found.verdict is Verdict.WARN
    assert "its line above says what is wrong" in found.cure
