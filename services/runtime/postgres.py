"""PostgreSQL that never keeps us waiting for ever: neither a server that hangs, nor another worker that stands still."""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

_REACHED_WITHIN = 10
"""Seconds in which PostgreSQL must take a connection; asyncpg's own minute is longer than anybody waits for an answer."""
_ANSWERED_WITHIN = 30
"""Seconds for one statement. Most of ours touch a page of rows; the longest all deliveries that wait for an endpoint."""
_LIMITS = {
    "lock_timeout": "8s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
}
"""A worker that was stopped, or whose machine is gone, inside a transaction keeps its locks no longer than this. Without
limits all others would wait for it, and TCP notices a machine that vanished after two hours."""
_LOCK = "pg_advisory_xact_lock(hashtext('netral ' || current_schema()))"
_READ_ONLY = "25006"
"""SQLSTATE read_only_sql_transaction: who answers is a standby now, and another server takes what is written."""
_BOUNDED = "set_config('transaction_timeout', '30s', true)"


def alone(version: tuple[int | str, ...], *, patient: bool) -> str:
    """The first statement of whoever writes: it takes the one lock of all writers.

    A session that waits for the second half of a statement is not idle to PostgreSQL; what ends it is known since 17.
    """
    return f"SELECT {_LOCK}" if patient or version[:1] < (17,) else f"SELECT {_BOUNDED}, {_LOCK}"


class DatabaseAway(SQLAlchemyError):
    """PostgreSQL takes no connection, or does not answer in time. None of the callers awaits the socket's own error."""


async def _reached(*address: Any, **options: Any) -> Any:
    import asyncpg  # noqa: PLC0415 - most installations never need it

    try:
        return await asyncpg.connect(*address, timeout=_REACHED_WITHIN, **options)
    except OSError as trouble:  # also a time that is over and a name that is not known
        raise DatabaseAway(type(trouble).__name__) from trouble


class _Pool(AsyncAdaptedQueuePool):
    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except OSError as trouble:  # a connection that was kept is asked whether it lives, and nobody answers
            raise DatabaseAway(type(trouble).__name__) from trouble


def _in_our_words(context: ExceptionContext) -> SQLAlchemyError | None:
    """What asyncpg says of a time that is over is no error of a database to SQLAlchemy.

    A server that takes no writes any more is left like one that is gone: its address may lead to its successor.
    """
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True
        return None
    if not isinstance(context.original_exception, OSError):
        return None
    context.is_disconnect = True
    return DatabaseAway(type(context.original_exception).__name__)


def open_postgres(url: URL, *, schema: str | None, patient: bool) -> AsyncEngine:
    """An engine, not connected yet. A `patient` one waits for answers and locks as long as it takes, as a backup may."""
    settings = {} if patient else dict(_LIMITS)
    if schema:
        settings["search_path"] = schema
    options: dict[str, Any] = {"async_creator_fn": _reached, "server_settings": settings}
    if not patient:
        options["command_timeout"] = _ANSWERED_WITHIN
    engine = create_async_engine(url, pool_pre_ping=True, poolclass=_Pool, connect_args=options)
    event.listen(engine.sync_engine, "handle_error", _in_our_words)
    return engine
