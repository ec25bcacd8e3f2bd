"""Who asks for the same thing at the same moment shares one answer, and nobody's trouble or impatience becomes another's."""

import asyncio

from services.runtime.sharing import Shared


class Slow:
    """Answers once it is let; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.trouble: Exception | None = None

    async def answer(self, key: str) -> str:
        self.asked.append(key)
        await self.go.wait()
        if self.trouble:
            raise self.trouble
        return key.upper()


async def test_all_who_wait_share_one_question_and_who_comes_later_asks_again() -> None:
    slow = Slow()
    shared = Shared(slow.answer)
    waiting = [asyncio.ensure_future(shared(key)) for key in ("a", "b", "a", "a")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    slow.go.set()
    assert await asyncio.gather(*waiting) == ["A", "B", "A", "A"]
    assert sorted(slow.asked) == ["a", "b"]
    assert await shared("a") == "A"
    assert sorted(slow.asked) == ["a", "a", "b"]


async def test_one_who_leaves_takes_the_answer_from_nobody() -> None:
    slow = Slow()
    shared = Shared(slow.answer)
    first, second = asyncio.ensure_future(shared("a")), asyncio.ensure_future(shared("a"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    slow.go.set()
    assert await second == "A"
    assert slow.asked == ["a"]


async def test_a_failure_reaches_all_who_wait_and_none_after_them() -> None:
    slow = Slow()
    shared, slow.trouble = Shared(slow.answer), LookupError("gone")
    waiting = [asyncio.ensure_future(shared("a")) for _ in range(2)]
    await asyncio.sleep(0)
    slow.go.set()
    assert [type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)] == 2 * [LookupError]
    slow.trouble = None
    assert await shared("a") == "A"
    assert not shared._asked, "nothing is kept"
