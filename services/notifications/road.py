"""Whether mail can be handed over at all, since when not, and the alarm that is not sent by mail."""

from datetime import datetime, timedelta

from services.runtime.logs import log

AGAIN = timedelta(minutes=15)
"""How often the alarm is repeated while mail is down."""


class Road:
    """Told of every try; `alarm_after` is how long mail may be down before people must know."""

    def __init__(self, alarm_after: timedelta) -> None:
        self._alarm_after = alarm_after
        self._closed_since: datetime | None = None
        self._said: datetime | None = None

    @property
    def open(self) -> bool:
        return self._closed_since is None

    def tried(self, now: datetime, *, reached: bool) -> None:
        """A mail was tried; `reached` tells whether a server talked to us about it."""
        if reached:
            if self._said:
                log("mail.up", since=now)
            self._closed_since = self._said = None
            return
        self._closed_since = self._closed_since or now
        due = self._said is None or now - self._said >= AGAIN
        if self.down(now) and due:
            self._said = now
            log("mail.down", level="ERROR", since=self._closed_since)

    def down(self, now: datetime) -> bool:
        """Whether mail has been down for longer than people may be left without knowing."""
        return self._closed_since is not None and now - self._closed_since >= self._alarm_after

    def trouble(self, now: datetime) -> str | None:
        """One sentence about mail that is down, or None."""
        if not self.down(now) or self._closed_since is None:
            return None
        since = f"{self._closed_since:%Y-%m-%d %H:%M} UTC"
        return f"no mail can be handed over since {since}; it waits, nothing is lost: see smtp_host"
