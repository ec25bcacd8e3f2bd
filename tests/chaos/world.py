"""The whole system as processes behind proxies, and every deed that a schedule can ask for."""

import asyncio
import contextlib
import json
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import nats

from contracts.topology import CONSUMERS
from deploy.local.secrets import CannotStart
from deploy.streams import add_consumer
from tests.chaos import database
from tests.chaos.acts import Operator, as_operator, insist, rekey, storage_works
from tests.chaos.clocked import JUMP
from tests.chaos.clocked import SERVICES as CLOCKED
from tests.chaos.disk import SmallDisk, fill, release
from tests.chaos.listener import Listener
from tests.chaos.proxy import Proxy, Weather
from tests.chaos.reader import AGENCY, Reader
from tests.chaos.schedule import Deed
from tests.conftest import Broker
from tests.forked import Forked
from tests.postgres import PostgresServer
from tests.running import Processes

ACK_WAIT = 4
"""Seconds after which a message of a dead handler comes again; 30 in a deployment, where nobody waits for the end."""
DATABASES = ("VAULT", "CASES", "LEDGER", "DELIVERIES")
NAMES = ("smtp", "intake", "routing", "notifications")
GARBAGE = b"\x00this is no event\xff"
QUICKLY = {
    "NETRAL_UNKNOWN_HOLD": "1",
    "NETRAL_SMTP_TIMEOUT": "2",
    "NETRAL_MAIL_RATE": "0",
    "NETRAL_MAIL_BURST": "0",  # a digest waits ten minutes
    "NETRAL_SWEEP_SECONDS": "5",
    "NETRAL_WEBHOOK_TIMEOUT": "2",
    "NETRAL_WEBHOOK_UNSAFE_LOOPBACK": "true",
}


@dataclass
class World:
    """Services in the folder of `broker`, which lies on `disk` if we could make one."""

    broker: Broker
    disk: SmallDisk | None
    database: PostgresServer | None = None
    """Where vault, cases, ledger and deliveries are; files in `data_dir` where there is none."""
    system: Processes = field(init=False)
    operator: Operator = field(init=False)
    reader: Reader = field(init=False)
    listener: Listener = field(init=False)
    addresses: dict[str, str] = field(default_factory=dict)
    links: dict[str, Proxy] = field(default_factory=dict)
    down: Counter[str] = field(default_factory=Counter)
    """How many deeds keep each down; everything else that ends is started again. Two may overlap between rounds."""
    corrupted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Deeds that could not be done, with the reason."""
    power: asyncio.Lock = field(default_factory=asyncio.Lock)
    """It fails once at a time."""
    key_id: str | None = None
    """Of the reader's present key, once it was replaced."""

    def __post_init__(self) -> None:
        self.system = Processes(self.broker, anew=True)
        self.system.modules |= {name: f"tests.chaos.clocked {name}" for name in CLOCKED}
        keys, url = json.loads(self.broker.settings.secret("agency-keys.json")), self.system.url("routing")
        self.operator, self.reader = Operator(url, keys["OPERATOR"]), Reader(url, keys[AGENCY])
        ports = {"broker": self.broker.port, "mail": self.system.ports["smtp"]}
        ports["inner"] = self.system.ports["intake"]
        self.listener = Listener(self.operator)
        self.links = {name: Proxy(port) for name, port in ports.items()} | {"push": self.listener.link}
        url = "nats://127.0.0.1:{}".format(self.links["broker"].port)
        inner = "http://127.0.0.1:{}".format(self.links["inner"].port)
        self.system.extra = {**QUICKLY, "NETRAL_NATS_URL": url, "NETRAL_INTAKE_URL": inner}
        if self.database:
            self.addresses = {name: self.database.new_database() for name in DATABASES}
            self.system.extra |= {f"NETRAL_{name}_URL": url for name, url in self.addresses.items()}

    async def start(self) -> None:
        for link in self.links.values():
            await link.start()
        async with as_operator(self.broker) as nc:
            for consumer in CONSUMERS:
                await add_consumer(nc.jetstream(), replace(consumer, ack_wait=ACK_WAIT))
        for name in NAMES:
            self._begin(name)
        for name in NAMES[1:]:
            await self.system.ready(name)
        await self.listener.begin()

    async def stop(self) -> None:
        for name in NAMES:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process := self.system.running.get(name):
                    process.send_signal(signal.SIGCONT)
                    process.terminate()
                    await asyncio.to_thread(process.wait, 20)
        for process in self.system.running.values():
            process.kill()
        for link in self.links.values():
            await link.stop()
        await self.listener.end()

    async def mind(self) -> None:
        """Start again what ended by itself, as a supervisor does, until cancelled."""
        while True:
            await asyncio.sleep(0.5)
            for name in NAMES:
                self._begin(name)
            self._begin("broker")

    async def do(self, deed: Deed) -> None:
        """One deed and its end. What cannot be done is noted in `refused`."""
        if deed.target != "database":
            await getattr(self, f"_{deed.kind}")(deed)
        elif self.database is None:
            self.refused[deed.kind] = "the databases are files; `--postgres` has a server for them"
        else:
            await database.DEEDS[deed.kind](self.database, deed.lasts)

    async def _kill(self, deed: Deed) -> None:
        async with self._killed(deed.target):
            await asyncio.sleep(deed.lasts)

    @contextlib.asynccontextmanager
    async def _killed(self, name: str) -> AsyncIterator[None]:
        self.down[name] += 1
        if process := self._process(name):
            process.kill()
            await asyncio.to_thread(process.wait)
        yield
        self.down[name] -= 1
        self._begin(name)

    async def _refuse(self, deed: Deed) -> None:
        """The broker takes a service's password for another one, and ends its connections."""
        await insist(lambda: asyncio.to_thread(self.broker.take_password, deed.target, "another"))
        await asyncio.sleep(deed.lasts)
        await insist(lambda: asyncio.to_thread(self.broker.take_password, deed.target))

    async def _pause(self, deed: Deed) -> None:
        if process := self._process(deed.target):
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(deed.lasts)
            process.send_signal(signal.SIGCONT)

    async def _weather(self, deed: Deed) -> None:
        link = self.links[deed.target]
        link.turn(Weather(deed.kind))
        await asyncio.sleep(deed.lasts)
        link.turn(Weather.CLEAR)

    _slow = _hole = _cut = _weather

    async def _fill(self, deed: Deed) -> None:
        """Not one byte is left for a while. A broker that gave its storage up must be started again, as its runbook says."""
        if not self.disk:
            self.refused["fill"] = "a small file system cannot be mounted here"
            return
        ballast = self.broker.data_dir / "ballast"
        await insist(lambda: asyncio.to_thread(fill, ballast))
        await asyncio.sleep(deed.lasts)
        await insist(lambda: asyncio.to_thread(release, ballast))
        if not await storage_works(self.broker):
            await self._kill(Deed(deed.at, "kill", "broker", 0))

    async def _fail(self, deed: Deed) -> None:
        """The machine stops: everything dies at once, and of its files there is what was synced."""
        if not ((disk := self.disk) and disk.image):
            self.refused["fail"] = "a file system that can lose something cannot be mounted here"
            return
        async with self.power, contextlib.AsyncExitStack() as off:
            disk.power_off()
            for name in (*NAMES, "broker"):
                await off.enter_async_context(self._killed(name))
            await insist(lambda: asyncio.to_thread(disk.power_on))
            await asyncio.sleep(deed.lasts)

    async def _corrupt(self, deed: Deed) -> None:
        report_id = UUID(int=int(deed.at * 1000) + 1)
        subject = f"reports.{report_id}.accepted"

        async def publish() -> None:
            async with as_operator(self.broker) as nc:
                await nc.jetstream(timeout=2).publish(
                    subject,
                    GARBAGE,
                    headers={"Nats-Msg-Id": subject, "Nats-Expected-Last-Subject-Sequence": "0"},
                )

        await insist(publish)
        self.corrupted.append(subject)

    async def _forget(self, deed: Deed) -> None:
        """Somebody deletes a durable; made again it begins at the first message, and its reader hears everything anew."""
        consumer = next(consumer for consumer in CONSUMERS if consumer.name == deed.target)

        async def delete() -> None:
            async with as_operator(self.broker) as nc:
                with contextlib.suppress(
                    nats.js.errors.NotFoundError
                ):  # the answer to an earlier try was lost
                    await nc.jetstream(timeout=2).delete_consumer(consumer.stream, consumer.name)

        async def make() -> None:
            async with as_operator(self.broker) as nc:
                await add_consumer(nc.jetstream(timeout=2), replace(consumer, ack_wait=ACK_WAIT))

        await insist(delete)
        await asyncio.sleep(deed.lasts)
        await insist(make)

    async def _upgrade(self, _deed: Deed) -> None:
        await insist(self.operator.upgrade)

    async def _rotate(self, _deed: Deed) -> None:
        """A reader gets another key, and the one it had opens nothing any more."""
        old = self.key_id
        self.reader.key, self.key_id = await insist(lambda: self.operator.new_key(AGENCY))
        if old:
            await insist(lambda: self.operator.revoke(old))

    async def _exchange(self, deed: Deed) -> None:
        """The vault gets another key while intake stands still; whoever exchanges it is killed, and does it again."""
        async with self._killed("intake"):
            await rekey(self.system.env(), dies_after=deed.lasts)
            await insist(lambda: rekey(self.system.env()))

    async def _jump(self, deed: Deed) -> None:
        """The clock by which reports are dated, decided and counted is wrong by `target` seconds for a while."""
        jump = self.broker.data_dir / JUMP

        async def write() -> None:
            jump.write_text(deed.target)

        await insist(write)  # the disk may be full at this moment
        await asyncio.sleep(deed.lasts)
        await insist(lambda: asyncio.to_thread(release, jump))

    def _process(self, name: str) -> "subprocess.Popen[bytes] | Forked | None":
        return self.broker.server.process if name == "broker" else self.system.running.get(name)

    def _begin(self, name: str) -> None:
        """Start what runs not yet, unless a deed keeps it down. A second server would only fail over the port."""
        process = self._process(name)
        if self.down[name] or (process and process.poll() is None):
            return
        with contextlib.suppress(CannotStart, OSError):  # a full disk; its minder tries again
            if name == "broker":
                self.broker.server.start()
            else:
                self.system.start(name)
