"""Counts wrong receipts per ticket, so that nobody tries them one after the other."""

from datetime import datetime, timedelta
from uuid import UUID

ALLOWED = 20
WITHIN = timedelta(minutes=1)
REMEMBERED = 10_000
"""Tickets counted at once; then the oldest count is dropped, so guessing tickets cannot fill the memory."""


class WrongReceipts:
    """At most 20 wrong receipts a minute for each ticket, whether the ticket exists or not."""

    def __init__(self) -> None:
        self._counts: dict[UUID, tuple[datetime, int]] = {}

    def wait(self, report_id: UUID, now: datetime) -> int:
        """Seconds until another receipt is looked at; 0 if at once."""
        since, count = self._counts.get(report_id, (now, 0))
        left = since + WITHIN - now
        return int(left.total_seconds()) + 1 if count >= ALLOWED and left > timedelta(0) else 0

    def add(self, report_id: UUID, now: datetime) -> None:
        """Count one wrong receipt."""
        since, count = self._counts.pop(report_id, (now, 0))
        if now - since >= WITHIN:
            since, count = now, 0
        if len(self._counts) >= REMEMBERED:
            del self._counts[next(iter(self._counts))]
        self._counts[report_id] = (since, count + 1)
