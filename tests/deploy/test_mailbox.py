"""The local inbox keeps each message once, as a file a person can read."""

import asyncio
import email
import errno
import smtplib
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from deploy.local.mailbox import Inbox, MailboxSettings, name_of, run
from tests.ports import free_port


def a_mail(message_id: str = "<a@netral.invalid>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "netral@netral.invalid", "meja@bawaslu.invalid", "Uji / Test"
    mail["Message-ID"] = message_id
    mail.set_content("Isi surat – naskah.")
    return mail


def test_what_a_killed_inbox_had_not_finished_is_removed_and_mail_stays(tmp_path: Path) -> None:
    Inbox(tmp_path / "inbox")
    for name in ("tmp123.new", "a.eml"):
        (tmp_path / "inbox" / name).write_text("To: meja@bawaslu.invalid")
    Inbox(tmp_path / "inbox")
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == ["a.eml"]


async def test_the_same_message_id_twice_is_one_file(tmp_path: Path) -> None:
    port = free_port()
    serving = asyncio.create_task(run(MailboxSettings(data_dir=tmp_path, smtp_port=port)))
    await asyncio.to_thread(_deliver, port, [a_mail(), a_mail(), a_mail("<b@netral.invalid>")])
    serving.cancel()
    files = sorted((tmp_path / "inbox").glob("*.eml"))
    assert len(files) == 2
    read = email.message_from_bytes(files[0].read_bytes(), policy=default)
    assert read["X-Envelope-To"] == "meja@bawaslu.invalid"
    assert "naskah" in read.get_content()


def test_a_hostile_message_id_stays_inside_the_folder() -> None:
    for hostile in (
        b"Message-ID: <../../etc/passwd>\r\n\r\n",
        b"Message-ID: " + b"x" * 5000 + b"\r\n\r\n",
        b"no headers",
    ):
        name = name_of(hostile)
        assert "/" not in name
        assert len(name) < 100


def _deliver(port: int, mails: list[EmailMessage]) -> None:
    for _ in range(200):
        try:
            with smtplib.SMTP("127.0.0.1", port) as server:
                for mail in mails:
                    server.send_message(mail)
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("the inbox did not begin to listen")


async def test_one_mail_delivered_many_times_at_once_is_one_whole_file(tmp_path: Path) -> None:
    port = free_port()
    serving = asyncio.create_task(run(MailboxSettings(data_dir=tmp_path, smtp_port=port)))
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(20) as senders:  # the inbox writes in the loop's own threads
        await asyncio.gather(*(loop.run_in_executor(senders, _deliver, port, [a_mail()]) for _ in range(20)))
    serving.cancel()
    (file,) = (tmp_path / "inbox").iterdir()
    assert file.suffix == ".eml"


async def test_of_a_mail_that_may_be_lost_with_the_power_or_not_nothing_is_said(tmp_path: Path) -> None:
    def failing(_folder: Path) -> None:
        raise OSError(errno.EIO, "the disk went away")

    inbox = Inbox(tmp_path / "inbox", sync=failing)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(inbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await asyncio.to_thread(_deliver, port, [a_mail()])
    server.close()
    assert list((tmp_path / "inbox").glob("*.eml")), (
        "who is told `later` would send it again as if for the first time"
    )
