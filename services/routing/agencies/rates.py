"""How often a key may ask, and the headers that say so (draft-ietf-httpapi-ratelimit-headers, RFC 9110 Retry-After)."""

from dataclasses import dataclass
from math import ceil

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.runtime.clock import now

WINDOW = 60
"""Seconds over which requests are counted."""


@dataclass(frozen=True)
class Spent:
    """Whether one more request is allowed, and what the answer says of it."""

    allowed: bool
    headers: dict[str, str]


class Rates:
    """Counts in this process; with several workers each counts for itself. The library reads the real clock."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._counting = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._policy = f'"key";q={per_minute};w={WINDOW}'

    async def spend(self, who: str) -> Spent:
        """Count one request of `who`."""
        allowed = await self._counting.hit(self._item, who)
        stats = await self._counting.get_window_stats(self._item, who)
        wait = max(1, ceil(stats.reset_time - now().timestamp()))
        headers = {"RateLimit-Policy": self._policy, "RateLimit": f'"key";r={stats.remaining};t={wait}'}
        return Spent(allowed, headers if allowed else {**headers, "Retry-After": str(wait)})
