"""Against Debian's Postfix, run as an instance of its own on loopback ports: delivery, headers, and a bounce to the end."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.notifications.story import a_story
from tests.ports import free_port
from tests.running import until

POSTFIX = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(POSTFIX is None, reason="Postfix is not installed (Debian: apt-get install postfix)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix's master starts only as root"),
    pytest.mark.timeout(120),
]


class Postfix:
    """One instance over a folder; all mail goes to `onward`, bounces to the LMTP door at `bounces`."""

    def __init__(self, folder: Path, onward: int, bounces: int):
        self.folder, self.bounces, self.port = folder, bounces, free_port()
        for name in ("conf", "queue", "data"):
            (folder / name).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        (folder / "conf" / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.netral.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
disable_dns_lookups = yes
smtp_host_lookup = native
lmtp_host_lookup = native
minimal_backoff_time = 1s
transport_maps = inline:{{ {{netral.invalid = lmtp:inet:127.0.0.1:{bounces}}} }}
relayhost = [127.0.0.1]:{onward}
recipient_delimiter = +
""")
        (folder / "conf" / "master.cf").write_text(f"""\
127.0.0.1:{self.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")

    def run(self, word: str) -> None:
        done = subprocess.run(
            [POSTFIX or "postfix", "-c", self.folder / "conf", word],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or word == "stop", done.stderr + done.stdout

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


@pytest.fixture
async def postfix(server):
    """Not below pytest's own folder, which every pytest on the machine shuts for other users again."""
    with tempfile.TemporaryDirectory(prefix="netral-postfix-") as folder:
        Path(folder).chmod(0o755)
        instance = Postfix(Path(folder), server.port, free_port())
        await asyncio.to_thread(instance.run, "start")
        yield instance
        await asyncio.to_thread(instance.run, "stop")


@pytest.fixture
async def mailing(desk, settings, postfix):
    """A desk that hands its mail to Postfix and hears what comes back."""
    parts = desk(given=settings.model_copy(update={"smtp_port": postfix.port, "smtp_timeout": 10}))
    await parts.ledger.start()
    listening = await parts.bounces.open(postfix.bounces)
    yield parts
    listening.close()
    await parts.close()


async def test_a_mail_through_postfix_arrives_whole_with_its_headers(mailing, server, postfix):
    await mailing.hear(*a_story().events)
    await mailing.settle()
    assert await mailing.ledger.counts() == {"SENT": 6}

    async def arrived():
        return len(server.arrived) == 6

    await until(arrived)
    for mail in server.mails():
        assert not mail.defects
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Message-ID"].endswith("@netral.invalid>")
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "status=sent" in postfix.log()


async def test_a_mailbox_that_does_not_exist_comes_back_and_the_ledger_says_so(mailing, server, postfix):
    server.script.extend(["RCPT 550 5.1.1"])
    await mailing.hear(a_story().accepted)
    await mailing.settle()

    async def bounced():
        return (await mailing.ledger.counts()) == {"BOUNCED": 1}

    try:
        await until(bounced)
    except AssertionError:
        raise AssertionError(postfix.log()) from None
    (row,) = await mailing.ledger.read(text("SELECT last_answer_class FROM notices"))
    assert row["last_answer_class"] == "dsn 5.1.1"
    assert server.arrived == []
