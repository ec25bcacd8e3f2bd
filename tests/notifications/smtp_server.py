"""A real SMTP server that misbehaves on request, and remembers every message that reached its final dot."""

import asyncio
import email
from collections import deque
from email import policy

from aiosmtpd.smtp import SMTP, syntax


class Misbehaving(SMTP):
    """`script` holds what happens to the next transactions; when it is empty all goes well."""

    def __init__(self, house, **options):
        super().__init__(self, hostname="server.test", **options)
        self.house, self.script, self.arrived, self.got_one = (
            house,
            house.script,
            house.arrived,
            house.got_one,
        )
        self.deed = "ok"

    def connection_made(self, transport):
        super().connection_made(transport)
        if self.house.refusals:
            self.house.refusals -= 1
            transport.abort()

    @syntax("MAIL FROM: <address>")
    async def smtp_MAIL(self, arg):  # noqa: N802
        sender = arg.partition("<")[2].partition(">")[0]
        if hasattr(self.script, "deed_for"):
            self.deed = self.script.deed_for(sender)
        else:
            self.deed = self.script.popleft() if self.script else "ok"
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

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.deed.startswith("RCPT "):
            return self.deed.removeprefix("RCPT ") + f" no to {address}"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    @syntax("DATA")
    async def smtp_DATA(self, arg):  # noqa: N802
        if self.deed == "drop mid-DATA":
            await self.push("354 go on")
            self.transport.abort()
            return
        await super().smtp_DATA(arg)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.house.senders.append(self.sender)
        self.arrived.append((session.ssl is not None, list(envelope.rcpt_tos), envelope.content))
        self.got_one.set()
        if self.deed == "drop after the dot":
            self.transport.abort()
            return "250 never heard"
        if self.deed == "slow":
            await asyncio.sleep(2)
        if self.deed.startswith("DATA "):
            self.arrived.pop()
            return self.deed.removeprefix("DATA ") + " no"
        return "250 stored"


class Server:
    """`script` is a queue of deeds; `arrived` are (over TLS?, recipients, bytes) in order; `got_one` is set by each."""

    def __init__(self, port, **options):
        self.port, self.wrapped, self.options = port, options.pop("wrapped", None), options
        self.script, self.arrived, self.sessions = deque(), [], []
        self.senders, self.refusals, self._parsed = [], 0, []
        self.got_one = asyncio.Event()
        self._server = None

    async def start(self):
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port, ssl=self.wrapped)

    async def stop(self):
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
    def running(self):
        return self._server is not None

    def mails_since(self):
        """As `mails`, each parsed once and without its body; for long runs in which nothing is taken back."""
        for _, _, raw in self.arrived[len(self._parsed) :]:
            self._parsed.append(
                email.message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=policy.default)
            )
        return self._parsed

    def mails(self):
        return [email.message_from_bytes(raw, policy=policy.default) for _, _, raw in self.arrived]

    def _session(self):
        session = Misbehaving(self, loop=asyncio.get_running_loop(), **self.options)
        self.sessions.append(session)
        return session
