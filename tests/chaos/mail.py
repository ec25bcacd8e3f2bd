"""Mail through a storm: a server that fails in eight ways, and kill -9 of the service every few hundred mails.

`python -m tests.chaos.mail --mails 10000` runs it for long; the suite runs a few hundred. Every mail must arrive, none
twice without saying that it may be a copy, and the letters of one thread in their order (but for a letter that was
refused for good: the later ones do not wait until an operator sends it again).
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from contracts.directory import Directory
from services.notifications import desk
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import State
from services.notifications.ledger import Ledger
from services.notifications.opening import open_ledger
from services.notifications.settings import NotificationsSettings
from services.runtime.clock import now
from services.runtime.messaging import Bus
from tests.conftest import Broker
from tests.notifications.offices import told
from tests.notifications.smtp_server import Server
from tests.notifications.story import a_story
from tests.ports import free_port
from tests.running import until
from tests.shell import forget_installation

T = TypeVar("T")
SEED = 20241127
WAYS = (
    "slow",
    "refusing connections",
    "MAIL 421",
    "drop before DATA",
    "drop mid-DATA",
    "drop after the dot",
    "RCPT 451 4.7.1 greylisted",
    "RCPT 550",
)
"""Besides these the whole server goes away now and then."""
EACH = 7
"""Letters of one story: two to its reporter, four offers, and a passed limit to one of the four offices."""
_TO_ITS_PORTS = ("data_dir", "nats_url", "smtp_port", "notifications_port", "intake_port")
ORDERS = (["received", "routed"], ["offered"], ["offered", "overdue"])
"""The letters of a thread as its reader must first see them."""
HANDED_OVER = ("drop after the dot", "slow")
"""Ways in which a mail arrives although the service cannot know."""
AT_ONCE = 4
"""Mails between claim and record, so the copies that one kill may cause."""


class Storm:
    """The script of the server: about one transaction in five goes wrong, but one mail at most `strikes` times."""

    def __init__(self, strikes: int) -> None:
        self.dice, self.strikes = random.Random(SEED), strikes
        self.seen: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.refused: set[str] = set()

    def deed_for(self, sender: str) -> str:
        if self.seen[sender] >= self.strikes or self.dice.random() > 0.2:
            return "ok"
        self.seen[sender] += 1
        deed = self.dice.choice(WAYS)
        self.done[deed] += 1
        if deed == "RCPT 550":
            self.refused.add(sender)
        return deed


@dataclass
class Run:
    """One storm over one broker and one service process; `mails` is rounded to whole stories."""

    broker: Broker
    mails: int
    kill_every: int
    strikes: int = 2
    patience: float = 0.5
    """Seconds that the service waits for an answer; a machine that takes longer makes copies that nothing explains."""
    kills: int = 0
    seconds: float = 0
    ids: set[str] = field(default_factory=set)
    """Message-IDs that arrived; of the first `looked_at` mails."""
    looked_at: int = 0
    last: dict[str, int] | None = None
    """How many mails were in each state when we last asked."""
    process: subprocess.Popen[bytes] | None = None
    storm: Storm = field(init=False)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.storm = Storm(self.strikes)
        self.server = Server(free_port())
        self.server.script = self.storm
        self.stories = max(1, self.mails // EACH)
        self.goal = self.stories * EACH
        self.settings = NotificationsSettings(
            data_dir=self.broker.data_dir,
            nats_url=self.broker.settings.nats_url,
            smtp_port=self.server.port,
            notifications_port=free_port(),
            intake_port=free_port(),
            unknown_hold=1,
            smtp_timeout=self.patience,
            mail_burst=0,
            mail_rate=0,
        )

    def start(self) -> None:
        names = [*_TO_ITS_PORTS, "unknown_hold", "smtp_timeout", "mail_burst", "mail_rate"]
        env = {f"NETRAL_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        command = [sys.executable, "-m", "services.notifications"]
        self.process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.kills += 1

    async def run(self) -> None:
        """Tell the stories, keep the storm going, and let an operator send again what was refused."""
        began = time.monotonic()
        await self.server.start()
        door = await asyncio.start_server(_reply_addresses, "127.0.0.1", self.settings.intake_port)
        telling = asyncio.create_task(self._tell())
        self.start()
        try:
            mark, rounds = 0, 0
            while self._arrived() < self.goal:
                await asyncio.sleep(0.1)
                if telling.done() and telling.exception():
                    raise telling.exception()  # type: ignore[misc]
                if len(self.server.arrived) - mark >= self.kill_every:
                    mark = len(self.server.arrived)
                    print(
                        f"{time.monotonic() - began:5.0f} s: {len(self.ids)} mails",
                        file=sys.stderr,
                        flush=True,
                    )
                    await self._trouble()
                if (rounds := rounds + 1) % 20 == 0:
                    await self._retry_refused()
            await telling
            await until(self._all_ended, 900)
        finally:
            if self.process:
                self.process.terminate()
                self.process.wait(60)
            await self.server.stop()
            door.close()
            self.seconds = time.monotonic() - began

    async def _trouble(self) -> None:
        """kill -9, and every second time the mail server is away for a while too."""
        if self.kills % 2:
            await self.server.stop()
        self.kill()
        self.start()
        if not self.server.running:
            await asyncio.sleep(2)
            await self.server.start()

    async def _tell(self) -> None:
        buses = [await Bus.connect(self.broker.settings, user) for user in ("intake", "routing")]
        await buses[1].tell(told())
        for n in range(self.stories):
            story = a_story(ticket=f"NTR-BADA-I000-{n // 10_000:04}-{n % 10_000:04}")
            await buses[0].tell([story.accepted])
            await buses[1].tell([story.decided, *story.offers])
            await buses[1].tell([story.due("OVERDUE")])
        for bus in buses:
            await bus.close()

    async def _retry_refused(self) -> None:
        async def work(ledger: Ledger) -> None:
            for row in await desk.listing(ledger, states=(State.FAILED,), limit=200):
                await desk.retry(ledger, row["notice_id"], now())

        await self._with_ledger(work)

    async def _all_ended(self) -> bool:
        counts = await self._with_ledger(lambda ledger: ledger.counts())
        if counts != self.last:
            print(f"{time.monotonic():5.0f} s: {counts}", file=sys.stderr, flush=True)
        self.last = counts
        if counts and counts.get("FAILED"):
            await self._retry_refused()
        return bool(counts == {"SENT": self.goal})

    async def _with_ledger(self, work: Callable[[Ledger], Awaitable[T]]) -> T | None:
        if not (self.broker.data_dir / "notifications.db").exists():
            return None
        ledger = open_ledger(self.settings, b"", Directory(), matrix())
        try:
            return await work(ledger)
        except Exception:  # the ledger is being made, or busy; there is another round
            return None
        finally:
            await ledger.close()

    def _arrived(self) -> int:
        """How many different mails arrived."""
        mails = self.server.mails_since()
        self.ids.update(mail["Message-ID"] for mail in mails[self.looked_at :])
        self.looked_at = len(mails)
        return len(self.ids)

    @property
    def copies(self) -> int:
        """Mails that arrived although one with their Message-ID had."""
        return len(self.server.arrived) - self._arrived()

    def faults(self) -> list[str]:
        """What was promised and not kept; empty after a good run."""
        found = []
        plain: Counter[str] = Counter()
        order: dict[tuple[str, str], list[str]] = defaultdict(list)
        unordered = set()
        for sender, mail in zip(self.server.senders, self.server.mails_since(), strict=True):
            plain[mail["Message-ID"]] += mail["X-Netral-Possible-Duplicate"] is None
            thread = (mail["To"], mail["Subject"].partition("]")[0])
            letter = mail["X-Netral-Letter"].partition("/")[2]
            if letter not in order[thread]:
                order[thread].append(letter)
            if sender in self.storm.refused:
                unordered.add(thread)
        if self._arrived() != self.goal:
            found.append(f"{self._arrived()} of {self.goal} mails arrived")
        if self.copies > (most := self._most_copies()):
            found.append(f"{self.copies} copies; kills and lost answers explain {most}")
        found += [f"{i}: twice without saying so" for i, number in plain.items() if number > 1]
        return found + [
            f"{t}: {letters}" for t, letters in order.items() if t not in unordered and letters not in ORDERS
        ]

    def _most_copies(self) -> int:
        return AT_ONCE * self.kills + sum(self.storm.done[way] for way in HANDED_OVER)

    def told(self) -> str:
        """The run in one line."""
        deeds = ", ".join(f"{deed} {number}" for deed, number in sorted(self.storm.done.items()))
        kills = f"{self.kills} kills, {self.copies} marked copies of at most {self._most_copies()}"
        return f"{self.goal} mails in {self.seconds:.0f} s, {kills}; {deeds}"


async def _reply_addresses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Intake's inner door: every reporter has an address of his own."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            report_id = (await reader.readuntil(b"\r\n\r\n")).decode().split("/")[4]
            body = json.dumps({"email": f"{report_id}@warga.example"})
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
    writer.close()


async def storm(
    mails: int, kill_every: int, folder: Path, strikes: int = 2, patience: float = Run.patience
) -> Run:
    """Run one storm in a folder; the run, to be asked for faults."""
    broker = Broker(folder)
    await asyncio.to_thread(broker.start)
    run = Run(broker, mails, kill_every, strikes, patience)
    try:
        await run.run()
    finally:
        broker.stop()
    return run


def main() -> int:
    """Exit code 0 if every promise was kept."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=10_000)
    options.add_argument("--kill-every", type=int, default=300)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = asyncio.run(storm(chosen.mails, chosen.kill_every, Path(folder)))
    print(run.told())
    for fault in run.faults()[:20]:
        print(fault)
    return 1 if run.faults() else 0


if __name__ == "__main__":
    forget_installation()
    sys.exit(main())
