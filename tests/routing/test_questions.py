"""Every question about cases is answered by an index: no table that grows with the cases is scanned or sorted whole."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from services.routing.inbox import Wanted, page_of_inbox
from services.routing.links import LinkQueries
from services.routing.match_queries import MatchQueries
from services.routing.matter_queries import MatterQueries
from services.routing.stats import Stats
from services.routing.story_pages import page_of_story
from services.routing.timer_queries import TimerQueries
from services.routing.views import Views
from services.runtime.database import open_engine

AT = datetime(2026, 11, 24, tzinfo=UTC)
AFTER = (AT, "case/p1")
SMALL = "tallies|overlaps|waits|positions"
"""Tables that do not grow with the cases."""


@pytest.fixture
async def views(tmp_path: Path) -> Any:
    found = Views(open_engine(f"sqlite+aiosqlite:///{tmp_path / 'views.db'}"))
    await found.open()
    yield found
    await found.engine.dispose()


@pytest.fixture
async def either(database_url: str) -> Any:
    found = Views(open_engine(database_url))
    await found.open()
    yield found
    await found.engine.dispose()


@contextmanager
def plans(views: Views) -> Iterator[list[str]]:
    """What the database says it does for each statement; PostgreSQL scans then only what it cannot find otherwise."""
    found: list[str] = []
    words = "EXPLAIN QUERY PLAN" if views.engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            if words != "EXPLAIN QUERY PLAN":
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"{words} {statement}", parameters)
            found.extend(f"{row[-1]}  <- {statement[:200]}" for row in cursor.fetchall())

    event.listen(views.engine.sync_engine, "before_cursor_execute", explain)
    yield found
    event.remove(views.engine.sync_engine, "before_cursor_execute", explain)


def scans(found: list[str]) -> list[str]:
    """Tables read whole; PostgreSQL reads them through an index too, which then has no condition."""
    sqlite = [line for line in found if re.match(rf"SCAN (?!{SMALL}|\d|\(|CONSTANT)", line)]
    nodes = [(line, after) for line, after in pairwise([*found, ""]) if re.search(r"Scan (using|on) ", line)]
    whole = [line for line, after in nodes if "Cond: " not in after and "Bitmap Heap" not in line]
    return sqlite + [line for line in whole if not re.search(rf" on ({SMALL})\b", line)]


def sorts(found: list[str]) -> list[str]:
    return [line for line in found if "TEMP B-TREE" in line]


def best(
    owner: str | None, state: str | None, *, orphans: bool = False, over_limit: bool = False
) -> tuple[str, ...]:
    """The indexes that read little more than the page; of two filters one may be left to the rows read."""
    if over_limit and not orphans:
        return (("matters_owner_late",) if owner else ("matters_late",)) + (
            (("matters_owner_state",) if owner else ("matters_state",)) if state else ()
        )
    if orphans and not owner:
        return ("matters_orphans", "matters_owner_state") if state else ("matters_orphans", "matters_owner")
    if owner and state:
        return ("matters_owner_state",)
    return ("matters_owner",) if owner else ("matters_state",) if state else ("matters_open",)


@pytest.mark.parametrize("after", [None, AFTER])
@pytest.mark.parametrize("narrowed", [{}, {"orphans": True}, {"over_limit": True}])
@pytest.mark.parametrize(
    ("owner", "state"), [(None, None), ("BKN", None), (None, "BREACH"), ("BKN", "BREACH")]
)
async def test_the_operator_s_list(
    views: Views, after: Any, narrowed: dict[str, bool], owner: str | None, state: str | None
) -> None:
    with plans(views) as found:
        await MatterQueries(views.engine).waiting(owner, state, after, 50, **narrowed)
    assert any(f"USING INDEX {name} " in found[0] for name in best(owner, state, **narrowed)), found
    assert scans(found) == []
    assert sorts(found) == []


@pytest.mark.parametrize("order", ["opened", "updated", "due"])
@pytest.mark.parametrize("narrowed", [{}, {"office": "pusat"}, {"state": "BREACH"}, {"role": "ACTION"}])
async def test_the_inbox(either: Views, order: str, narrowed: dict[str, Any]) -> None:
    with plans(either) as found:
        await page_of_inbox(either.engine, Wanted("BKN", order=order, after=AFTER, **narrowed))
        await either.report_counts(["a", "b"])
        await either.matters(["a", "b"])
    assert found
    assert scans(found) == []


@pytest.mark.parametrize("office", [None, "pusat"])
async def test_whether_a_body_holds_a_case(views: Views, office: str | None) -> None:
    with plans(views) as found:
        await views.holds("BKN", office, "case")
    assert "COVERING INDEX inbox_case" in found[0]


async def test_a_story_by_id_or_ticket_and_its_pages(either: Views) -> None:
    with plans(either) as found:
        await either.case("NTR-1")
        await either.offers(["case"])
        await either.steps("case")
        await LinkQueries(either.engine).roots(["case"])
        await LinkQueries(either.engine).duplicates("case")
        for after in (None, (AT, "notice x"), (AT, "report x")):
            await page_of_story(either.engine, "case", after)
    assert found
    assert scans(found) == []


async def test_counts_ageing_and_limits(either: Views) -> None:
    with plans(either) as found:
        await Stats(either.engine).answer(("owner", "state", "class", "province"), AT)
        queries = TimerQueries(either.engine)
        await queries.running("case")
        assert [row async for row in queries.overdue(AT)] == []
        assert [page async for page in queries.coming(AT, None)] == []
    assert found
    assert scans(found) == []


async def test_the_pairs_that_wait_are_walked_by_age_and_each_is_looked_up(views: Views) -> None:
    queries = MatchQueries(views.engine)
    with plans(views) as found:
        await queries.waiting((AT, "pair"), 50)
        await queries.waiting_since()
        await queries.match("pair")
        await queries.case_rows(["case"])
    assert sorts(found) == []
    assert [
        line for line in scans(found) if "matches_oldest" not in line and "SCAN matches " not in line
    ] == []
    assert any("matches_oldest" in line for line in found)
    of_matters = [line for line in found if " matters USING " in line]
    assert of_matters
    assert [line for line in of_matters if "(case_id=?" not in line] == []
