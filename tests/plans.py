"""How SQLite means to find the rows of what it is asked: by which index, or by going through a whole table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def plans(engine: AsyncEngine) -> Iterator[list[str]]:
    """A line for each table of every statement meanwhile, such as `SEARCH notices USING INDEX notices_due (state=?)`."""
    found: list[str] = []

    def explain(_c: Any, cursor: Any, statement: str, given: Any, _x: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given[0] if many else given)
            found.extend(row[-1] for row in cursor.fetchall())

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", explain)
