"""The worker behind the usual door with the work of our routing to do: cases, inboxes and limits, as one usually keeps them.

A row and a commit for each message that is read, by SQLAlchemy's ORM; what is over is looked for every second. It stores
as many messages a report as ours does.
"""

import asyncio
from datetime import date, timedelta

from faststream.nats import JStream, NatsBroker
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.events import ReportAccepted
from services.runtime.clock import now
from services.runtime.settings import Settings
from tests.bench.usual import agencies_of, usual_broker
from tests.bench.usual_vault import CONNECTIONS

KIND = "keeping"
STORED_BY_THE_KEEPING = 14
"""Messages a report: it, its decision, that its case has it; four agencies on record, each told; a limit, and two told."""
_LIMIT = timedelta(days=14)
_DUTIES = {"BAWASLU": "STUDY", "BKN": "SUPERVISE", "KEMENDAGRI": "PRESS", "KEMENPANRB": "WATCH"}
_TOLD_OF_A_LIMIT = ("BAWASLU", "BKN")


class Decided(BaseModel):
    case_id: str
    ticket: str
    region: str
    last_day: date
    agencies: tuple[str, ...]


class Offered(BaseModel):
    case_id: str
    ticket: str
    agency: str
    duty: str
    last_day: date


class _Base(DeclarativeBase):
    pass


class _Case(_Base):
    __tablename__ = "cases"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str]
    region: Mapped[str]
    state: Mapped[str]


class _Inbox(_Base):
    __tablename__ = "inbox"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str]
    duty: Mapped[str]


class _Limit(_Base):
    __tablename__ = "limits"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    last_day: Mapped[date]
    said: Mapped[bool] = mapped_column(index=True)


class Desk:
    """What the worker knows: one session for each message, one publish for each event."""

    def __init__(self, broker: NatsBroker, address: str) -> None:
        self._broker = broker
        self._engine = create_async_engine(address, pool_size=CONNECTIONS, max_overflow=0)
        self._session = async_sessionmaker(self._engine)

    async def open(self) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(_Base.metadata.create_all)

    async def route(self, event: ReportAccepted) -> None:
        """Decide by ifs, and say so to the record."""
        data, told = event.data, agencies_of(event.data.facts.persons[0].status)
        about = {
            "case_id": str(data.case_id),
            "ticket": data.ticket,
            "last_day": data.facts.known_on + _LIMIT,
        }
        await self._say("decided", Decided(**about, region=data.facts.region, agencies=told))
        for agency in told:
            await self._say(f"offered.{agency}", Offered(**about, agency=agency, duty=_DUTIES[agency]))
        await self._say("reports", Decided(**about, region=data.facts.region, agencies=()))

    async def keep(self, decided: Decided) -> None:
        """A case, and its limit that runs."""
        async with self._session() as session, session.begin():
            shown = {"ticket": decided.ticket, "region": decided.region, "state": "ROUTED"}
            await session.merge(_Case(case_id=decided.case_id, **shown))
            await session.merge(_Limit(case_id=decided.case_id, last_day=decided.last_day, said=False))

    async def offer(self, offered: Offered) -> None:
        """A row in an inbox; then its agency is told."""
        async with self._session() as session, session.begin():
            await session.merge(_Inbox(**offered.model_dump(exclude={"last_day"})))
        await self._say(f"told.{offered.agency}", offered)

    async def watch(self) -> None:
        """Say which limits are over, every second, until cancelled."""
        while True:
            async with self._session() as session, session.begin():
                await self._over(session)
            await asyncio.sleep(1)

    async def _over(self, session: AsyncSession) -> None:
        passed = select(_Limit).where(_Limit.said.is_(False), _Limit.last_day < now().date())
        for limit in await session.scalars(passed):
            due = Decided(case_id=limit.case_id, ticket="", region="", last_day=limit.last_day, agencies=())
            await self._say("due", due)
            for agency in _TOLD_OF_A_LIMIT:
                await self._say(f"told.{agency}", due)
            limit.said = True

    async def _say(self, what: str, event: BaseModel) -> None:
        await self._broker.publish(event.model_dump(mode="json"), f"{KIND}.{what}", stream=KIND.upper())


async def work(settings: Settings, address: str) -> None:
    """Route and keep what the door publishes, until cancelled; `address` is that of an empty database."""
    broker = usual_broker(settings)
    desk = Desk(broker, address)
    await desk.open()
    declared = JStream(KIND.upper(), subjects=[f"{KIND}.>"], declare=False)
    for subject, handle in (("accepted", desk.route), ("decided", desk.keep), ("offered.*", desk.offer)):
        durable = f"{KIND}-{subject.partition('.')[0]}"
        broker.subscriber(f"{KIND}.{subject}", durable=durable, stream=declared, pull_sub=True)(handle)
    await broker.start()
    await desk.watch()
