"""Hands mail to the SMTP server over connections it keeps, and says what became of it.

aiosmtplib's `sendmail` cannot tell a mail lost before DATA from one lost after the final dot, so the transaction is
made of its single commands here. Once the server has said 354, whatever breaks is UNCERTAIN: the bytes were written
in one go, and nobody can know how many of them were read.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Sequence
from typing import Any

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPRecipientRefused, SMTPResponseException, SMTPTimeoutError
from aiosmtplib.response import SMTPResponse

from services.notifications.core.retries import Answer, Verdict
from services.notifications.settings import NotificationsSettings

_TROUBLE = (SMTPException, OSError, TimeoutError, UnicodeError)
_START = 354
_FINAL = (2, 4, 5)
"""How a reply begins that says what became of a text (RFC 5321, 4.2.1); one whose replies run late may say 354 again."""
_MOST_ADDRESSES = 4
"""How many addresses of a mail server are tried for one connection."""
_TOO_MANY = 421
_TOO_FAST = re.compile(r"\b4\.(7\.28|7\.0|3\.2|4\.5)\b", re.ASCII)
_MAILBOX_FULL = 552
"""RFC 5321 4.5.3.1.10 reads it as temporary; so does everybody for the enhanced code 5.2.2."""

Address = tuple[int, Any]
"""The family of an address, and the address as sockets take it."""


class Postman:
    """Keeps what connections were used last; concurrent calls open more."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._idle: list[aiosmtplib.SMTP] = []

    async def deliver(self, recipient: str, message: bytes, sender: str) -> Answer:
        """Try once; a bounce goes to `sender`. `message` has CRLF line ends. Never raises for what the network does."""
        try:
            client = await self._client()
        except _TROUBLE as problem:
            return Answer(Verdict.UNREACHED, _code(problem))
        kept = False
        try:
            answer = await self._transaction(client, sender, recipient, message)
            kept = answer.verdict is Verdict.ACCEPTED
        finally:
            if kept and client.is_connected:
                self._idle.append(client)
            else:
                client.close()
        return answer

    async def knock(self) -> str | None:
        """Come as far as a mail would before its sender; None, or what the server or its certificate says against it."""
        try:
            client = await self._client()
        except _TROUBLE as problem:
            return f"{type(problem).__name__}: {problem}"[:200]
        self._idle.append(client)
        return None

    async def close(self) -> None:
        """Say goodbye on the idle connections."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit(timeout=1)
            except _TROUBLE:
                client.close()

    async def _client(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            sock=await _reached(settings.smtp_host, settings.smtp_port, settings.smtp_timeout),
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            local_hostname=settings.mail_domain,
            timeout=settings.smtp_timeout,
            use_tls=settings.smtp_tls == "implicit",
            start_tls={"auto": None, "required": True}.get(settings.smtp_tls, False),
            validate_certs=settings.smtp_tls in ("required", "implicit") or not settings.smtp_is_local,
            cert_bundle=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    async def _transaction(
        self, client: aiosmtplib.SMTP, sender: str, recipient: str, message: bytes
    ) -> Answer:
        reports = client.supports_extension("dsn")  # RFC 3461: no body of ours in a report
        try:
            await client.mail(sender, options=["RET=HDRS"] if reports else [])
            await client.rcpt(recipient, options=["NOTIFY=FAILURE,DELAY"] if reports else [])
            start = await client.execute_command(b"DATA")
        except SMTPRecipientRefused as refused:
            return _of_reply(SMTPResponse(refused.code, refused.message))
        except _TROUBLE as problem:
            return Answer(Verdict.UNREACHED, _code(problem))
        if start.code != _START:  # to be told `done` before a word of the mail was sent means nothing
            return _of_reply(start) if start.code >= 400 else Answer(Verdict.UNREACHED, str(start.code))
        try:
            said = await self._last_word(client, message)
            return (
                _of_reply(said) if said.code // 100 in _FINAL else Answer(Verdict.UNCERTAIN, str(said.code))
            )
        except _TROUBLE as problem:
            return Answer(Verdict.UNCERTAIN, _code(problem))

    async def _last_word(self, client: aiosmtplib.SMTP, message: bytes) -> SMTPResponse:
        protocol = client.protocol
        if protocol is None:
            raise ConnectionError
        protocol.write(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
        return await protocol.read_response(timeout=self._settings.smtp_timeout)


async def _reached(host: str, port: int, within: float) -> socket.socket:
    """Connected to the first address of a host that answers, each given its share of the seconds. Raises SMTPConnectError.

    The event loop would wait at an address that says nothing until the time of all others is over too.
    """
    where = f"{host} on port {port}"
    try:
        async with asyncio.timeout(within):
            found = await _addresses(host, port)
            return await _first(found, within / len(found))
    except TimeoutError as late:
        raise aiosmtplib.SMTPConnectTimeoutError(f"Timed out connecting to {where}") from late
    except OSError as trouble:
        raise aiosmtplib.SMTPConnectError(f"Error connecting to {where}: {trouble}") from trouble


async def _addresses(host: str, port: int) -> Sequence[Address]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found][:_MOST_ADDRESSES]


async def _first(addresses: Sequence[Address], share: float) -> socket.socket:
    """The last trouble of a list that has none that answers is raised: OSError, also TimeoutError."""
    for number, (family, address) in enumerate(addresses, 1):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(share):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException as trouble:
            sock.close()
            if number == len(addresses) or not isinstance(trouble, OSError):
                raise
        else:
            return sock
    raise OSError(errno.EADDRNOTAVAIL, "no address")


def _of_reply(reply: SMTPResponse) -> Answer:
    """What a reply says about this mail; of its text only the enhanced codes below are read."""
    code = str(reply.code)
    if reply.code == _TOO_MANY or (400 <= reply.code < 500 and _TOO_FAST.search(reply.message)):
        return Answer(Verdict.THROTTLED, code)
    if 200 <= reply.code < 300:
        return Answer(Verdict.ACCEPTED, code)
    if 500 <= reply.code < 600 and reply.code != _MAILBOX_FULL and "5.2.2" not in reply.message:
        return Answer(Verdict.REFUSED, code)
    return Answer(Verdict.DEFERRED, code)


def _code(problem: BaseException) -> str:
    match problem:
        case SMTPResponseException():
            return str(problem.code)
        case SMTPTimeoutError() | TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case aiosmtplib.SMTPConnectError():
            return "connect"
        case ConnectionError():
            return "lost"
        case _:
            return type(problem).__name__
