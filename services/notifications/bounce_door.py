"""The LMTP door on the loopback interface at which the mail server leaves what came back. It never answers by mail."""

import asyncio
from typing import Any

from aiosmtpd.lmtp import LMTP

from services.notifications.bouncing import came_back
from services.notifications.commits import LedgerAway
from services.notifications.core.bounces import Fate, bounced_notice, read_returned
from services.notifications.ledger import Ledger
from services.runtime.clock import Clock
from services.runtime.logs import log

MAX_BYTES = 1_048_576
HOST = "127.0.0.1"


class BounceDoor:
    """aiosmtpd calls `handle_…`; `address` is the one before the token, `key` signs the tokens."""

    def __init__(self, ledger: Ledger, clock: Clock, address: str, key: bytes, ended: asyncio.Event) -> None:
        self._ledger = ledger
        self._clock = clock
        self._address = address
        self._key = key
        self._ended = ended

    async def open(self, port: int) -> asyncio.Server | None:
        """Listen; None, with a line in the log, if the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(lambda: self._session(loop), HOST, port)
        except OSError as problem:
            log("bounces.not_heard", level="ERROR", error=type(problem).__name__, port=port)
            return None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        if bounced_notice(address, self._address, self._key) is None:
            return "550 5.1.1 no such bounce address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        notice = bounced_notice(envelope.rcpt_tos[0], self._address, self._key)
        returned = read_returned(bytes(envelope.content), envelope.mail_from or "")
        if notice is None or returned.fate in (Fate.AUTOMATIC, Fate.HUMAN):
            log("mail.ignored", notice_id=notice, fate=returned.fate)
            return "250 2.0.0 read"
        try:
            await came_back(self._ledger, notice, returned, self._clock())
        except LedgerAway:
            return "451 4.3.0 later"
        self._ended.set()
        return "250 2.0.0 noted"

    def _session(self, loop: asyncio.AbstractEventLoop) -> LMTP:
        return LMTP(self, hostname="netral.local", data_size_limit=MAX_BYTES, loop=loop)
