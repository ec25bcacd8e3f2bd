"""A local SMTP inbox: each message becomes one readable .eml file, named after its Message-ID."""

import asyncio
import email
import hashlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from email import policy
from pathlib import Path
from typing import Annotated, Any

from aiosmtpd.smtp import SMTP
from pydantic import Field

from deploy.local.inbox_page import InboxPage
from deploy.local.secrets import sync_folder
from deploy.local.simulated import ANSWERS, give_back, kind_of
from services.runtime.logs import configure, log
from services.runtime.serving import serve
from services.runtime.settings import BadSettings, Settings, load

MAX_BYTES = 1_048_576


class MailboxSettings(Settings):
    """Where the local inbox listens and keeps its mail."""

    smtp_host: Annotated[str, Field(description="Address of the SMTP server mail is handed to")] = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Port of the SMTP server")] = 8025
    inbox_port: Annotated[
        int, Field(ge=0, le=65535, description="Port of the page that shows the local inbox (0: none)")
    ] = 0
    bounce_port: Annotated[
        int, Field(ge=0, le=65535, description="Port of the LMTP door for bounces, loopback only (0: none)")
    ] = 0


class Inbox:
    """Stores what it gets. The same Message-ID again replaces the file, as a mail reader shows it once."""

    def __init__(
        self, folder: Path, bounce_port: int = 0, sync: Callable[[Path], None] = sync_folder
    ) -> None:
        self.folder = folder
        self._sync = sync
        self._bounce_port = bounce_port
        self._returning: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.new"):  # of one that was killed; its sender gives the mail again
            unfinished.unlink(missing_ok=True)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        refusal = ANSWERS.get(kind_of(address) or "")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        path = self.folder / name_of(envelope.content)
        again = path.exists()
        try:
            await asyncio.to_thread(_write, path, _headed(envelope))
        except OSError as problem:
            log("mail.not_stored", level="ERROR", error=type(problem).__name__)
            return "452 cannot be stored now; try again later"
        try:
            await asyncio.to_thread(self._sync, self.folder)
        except OSError as problem:
            # After a loss of power it may be there or not: every answer might be wrong.
            log("mail.in_doubt", level="ERROR", error=type(problem).__name__, file=path.name)
            server.transport.abort()
            await asyncio.get_running_loop().create_future()  # cancelled with its connection
        log("mail.stored", file=path.name, again=again)
        returning = asyncio.create_task(give_back(envelope, self._bounce_port))
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)
        return "250 stored"


def name_of(content: bytes) -> str:
    """The file name of a message: its Message-ID made safe, with a hash so that no two collide."""
    header = email.message_from_bytes(content, policy=policy.compat32).get("Message-ID", "")
    cause = str(header).strip().encode() or content
    readable = re.sub(r"[^A-Za-z0-9-]+", "-", str(header)).strip("-")[:60] or "no-message-id"
    return f"{readable}.{hashlib.sha256(cause).hexdigest()[:8]}.eml"


def _headed(envelope: Any) -> bytes:
    lines = [f"X-Envelope-From: {envelope.mail_from}", *(f"X-Envelope-To: {to}" for to in envelope.rcpt_tos)]
    return "\r\n".join(lines).encode() + b"\r\n" + bytes(envelope.content)


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(suffix=".new", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


async def run(settings: MailboxSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    inbox = Inbox(settings.data_dir / "inbox", settings.bounce_port)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            inbox, data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="netral.local", loop=loop
        ),
        settings.smtp_host,
        settings.smtp_port,
    )
    log("mailbox.ready", port=settings.smtp_port)
    if settings.inbox_port:
        await serve(InboxPage(inbox.folder).app(), "127.0.0.1", settings.inbox_port)
    else:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        await stopped.wait()
    server.close()


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        settings = load(MailboxSettings)
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return 1
    configure("mailbox", settings.log_level)
    try:
        asyncio.run(run(settings))
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
