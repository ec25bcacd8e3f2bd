"""What our door does beside storing, as one usually writes it: a session, a row and a commit for each report.

Sealing, tickets and events are made by our own functions, so that only the way of working differs.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.events import ReportAccepted
from contracts.ids import receipt_for, ticket_for
from contracts.report import Report
from services.intake.core.acceptance import accept
from services.intake.sealing import Sealer
from services.runtime.clock import now

CONNECTIONS = 20


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "reports"

    report_id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    dossier: Mapped[bytes]
    dossier_key: Mapped[bytes | None]
    reporter: Mapped[bytes]
    reporter_key: Mapped[bytes | None]


class UsualVault:
    """SQLAlchemy's ORM over a database at an address; each commit is synced if the server does so."""

    def __init__(self, address: str) -> None:
        self._engine = create_async_engine(address, pool_size=CONNECTIONS, max_overflow=0)
        self._session = async_sessionmaker(self._engine)
        self._key = secrets.token_bytes(32)
        self._sealer = Sealer(secrets.token_bytes(32))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """With its table made; then its connections are let go."""
        async with self._engine.begin() as connection:
            await connection.run_sync(_Base.metadata.create_all)
        yield
        await self._engine.dispose()

    async def keep(self, report: Report, idempotency_key: str) -> tuple[ReportAccepted, dict[str, str]]:
        """Keep what identifies people; what may travel, and what the one who reports is told."""
        made = accept(report, ticket_for(self._key, idempotency_key), now(), self._key)
        event, report_id = made.event, made.event.data.report_id
        dossier = self._sealer.seal(report_id, "dossier", made.dossier)
        reporter = self._sealer.seal(report_id, "reporter", made.reporter)
        row = _Row(
            report_id=str(report_id),
            event=event.model_dump_json(by_alias=True),
            dossier=dossier.blob,
            dossier_key=dossier.wrapped_key,
            reporter=reporter.blob,
            reporter_key=reporter.wrapped_key,
        )
        with suppress(IntegrityError):  # it was sent before: the same answer
            async with self._session() as session, session.begin():
                session.add(row)
        return event, {"ticket": event.data.ticket, "receipt": receipt_for(self._key, report_id)}
