"""A service waits for a stream that has no leader yet, and gives up on one that is not there."""

import pytest

from services.runtime.bus import BrokerAway
from services.runtime.patience import answered


class Elected:
    """A stream that answers nobody the first times it is asked."""

    def __init__(self, silent: int) -> None:
        self.silent, self.asked = silent, 0

    async def ask(self) -> None:
        self.asked += 1
        if self.asked <= self.silent:
            raise BrokerAway(ambiguous=self.asked == 1)


async def test_a_stream_that_answers_nobody_yet_is_asked_again() -> None:
    stream = Elected(silent=2)
    await answered(stream.ask, tries=3, pause=0)
    assert stream.asked == 3


async def test_a_stream_that_never_answers_is_given_up_with_the_last_reason() -> None:
    stream = Elected(silent=9)
    with pytest.raises(BrokerAway, match="not reachable"):
        await answered(stream.ask, tries=3, pause=0)
    assert stream.asked == 3
