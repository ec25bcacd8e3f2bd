"""A few hundred mails through the storm of tests/chaos/mail.py."""

from pathlib import Path

import pytest

from tests.chaos.mail import WAYS, storm

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


async def test_every_mail_comes_through_eight_failures_and_kills_once_and_in_order(tmp_path: Path) -> None:
    run = await storm(300, 80, tmp_path / "broker", strikes=1, patience=1.5)
    assert run.faults() == []
    assert run.kills >= 3
    assert set(run.storm.done) == set(WAYS), "every way to fail was tried"
