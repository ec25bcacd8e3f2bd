"""A real SMTP server that misbehaves on request, and remembers every message that reached its final dot."""

import asyncio
import email
from collections import deque
from email import policy
from email.message import EmailMessage
from ssl import SSLContext
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax


class Script(Protocol):
    """What happens to the next transactions."""

    def deed_for(self, sender: str) -> str: ...


Arrived = tuple[bool, list[str], bytes]
"""Whether over TLS, the recipients, the mail."""


class Misbehaving(SMTP):  # type: ignore[misc]
    """`script` holds what happens to the next transactions; when it is empty all goes well."""

    def __init__(self, house: "Server", **options: Any) -> None:
        super().__init__(self, hostname="server.test", **options)
        self.house = house
        self.deed = "ok"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.house.refusals:
            self.house.refusals -= 1
            self.transport.abort()

    @syntax("MAIL FROM: <address>")  # type: ignore[untyped-decorator]
    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        sender = arg.partition("<")[2].partition(">")[0]
        script = self.house.script
        if not isinstance(script, deque):
            self.deed = script.deed_for(sender)
        else:
            self.deed = script.popleft() if script else "ok"
        self.sender = sender
        if self.deed == "refusing connections":
            self.house.refusals = 3
            self.transport.abort()
            return
        if self.deed.startswith("MAIL "):
            await self.push(self.deed.removeprefix("MAIL ") + " too many connections")
            self.transport.close()
            return
        if self.deed == "drop before DATA":
            self.transport.abort()
            return
        await super().smtp_MAIL(arg)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.deed.startswith("RCPT "):
            return self.deed.removeprefix("RCPT ") + f" no to {address}"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    @syntax("DATA")  # type: ignore[untyped-decorator]
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.deed == "250 to DATA":
            await self.push("250 ok")
            return
        if self.deed == "drop mid-DATA":
            await self.push("354 go on")
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.house.senders.append(self.sender)
        self.house.arrived.append((session.ssl is not None, list(envelope.rcpt_tos), envelope.content))
        self.house.got_one.set()
        if self.deed == "drop after the dot":
            self.transport.abort()
            return "250 never heard"
        if self.deed == "slow":
            await asyncio.Event().wait()  # until whoever waits for the answer has gone
        if self.deed.startswith("DATA "):
            self.house.arrived.pop()
            return self.deed.removeprefix("DATA ") + " no"
        return "250 stored"


class Server:
    """`script` is a queue of deeds; `arrived` are (over TLS?, recipients, bytes) in order; `got_one` is set by each."""

    def __init__(self, port: int, *, wrapped: SSLContext | None = None, **options: Any) -> None:
        self.port, self.wrapped, self.options = port, wrapped, options
        self.script: deque[str] | Script = deque()
        self.arrived: list[Arrived] = []
        self.senders: list[str] = []
        self.sessions: list[Misbehaving] = []
        self.refusals = 0
        self.got_one = asyncio.Event()
        self._parsed: list[EmailMessage] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port, ssl=self.wrapped)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for session in self.sessions:
            # Debian's Python 3.11.2 breaks where what is closed is aborted
            if session.transport and not session.transport.is_closing():
                session.transport.abort()
        self.sessions.clear()
        await asyncio.sleep(0.01)

    @property
    def running(self) -> bool:
        return self._server is not None

    def mails_since(self) -> list[EmailMessage]:
        """As `mails`, each parsed once and without its body; for long runs in which nothing is taken back."""
        for _, _, raw in self.arrived[len(self._parsed) :]:
            self._parsed.append(
                email.message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=policy.default)
            )
        return self._parsed

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=policy.default) for _, _, raw in self.arrived]

    def _session(self) -> Misbehaving:
        session = Misbehaving(self, loop=asyncio.get_running_loop(), **self.options)
        self.sessions.append(session)
        return session
