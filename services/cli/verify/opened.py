"""Opens a database to read from, where there is one."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import open_engine


class Opened:
    """A database to read from, None if it is an SQLite file that is not there."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        missing = parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()
        self._engine: AsyncEngine | None = None if missing else open_engine(url, patient=True)

    async def __aenter__(self) -> AsyncEngine | None:
        return self._engine

    async def __aexit__(self, *_: object) -> None:
        if self._engine:
            await self._engine.dispose()
