"""The counts are those of a plain count over the matters, in persons and in cases, for whatever dimensions."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from contracts import regions
from services.routing import stats as module
from services.routing.core.decide import Judge
from services.routing.core.hiding import MASKED
from services.routing.projecting import Entry
from services.routing.stats import Stats
from services.routing.tallies import CELL
from services.routing.views_tables import matters
from tests.builders import a_report
from tests.routing.histories import BREACH, RECOMMENDED, SANCTIONED, history, undone
from tests.routing.test_projecting import opened

NOW = datetime(2024, 11, 12, tzinfo=UTC)


def several(number: int) -> dict[str, Any]:
    """A report about three persons of two kinds."""
    report = a_report(incident__region=f"kemendagri:5{number % 3 + 1}.0{number % 2 + 1}")
    (one,) = report["persons"]
    other = {**one, "ref": "p2", "nip": "198609262015051002"}
    third = {"ref": "p3", "status": "NON_ASN", "name": "Orang"}
    acts = [{**report["acts"][0], "person": ref} for ref in ("p2", "p3")]
    return {"persons": [one, other, third], "acts": [*report["acts"], *acts], "incident": report["incident"]}


@pytest.fixture(scope="module")
def log(judge: Judge) -> list[Entry]:
    alone = (*BREACH, {"person": "p1"})
    waves = ((), (BREACH,), (alone,), (BREACH, RECOMMENDED), (BREACH, RECOMMENDED, SANCTIONED))
    events = [
        event
        for number in range(1, 40)
        for event in history(judge, number, *waves[number % 5], **(several(number) if number % 2 else {}))
    ]
    events += history(judge, 50, BREACH, undone(1, 9, "BAWASLU"))
    return [Entry("CASES", seq, event) for seq, event in enumerate(events, 1)]


async def test_every_question_is_answered_as_a_plain_count_would(database_url: str, log: list[Entry]) -> None:
    async with opened(database_url) as views:
        for start in range(0, len(log), 17):
            await views.keep_all(log[start : start + 17])
        async with views.engine.connect() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(select(matters))]
            cells = [
                (r["owner"] or "", r["state"], r["stage"], r["class"], regions.bare(r["region"])[:2])
                for r in rows
            ]
            for size in range(len(CELL) + 1):
                for by in combinations(range(len(CELL)), size):
                    keys = [tuple(cell[n] for n in by) for cell in cells]
                    wanted = {
                        key: (
                            keys.count(key),
                            len({r["case_id"] for r, k in zip(rows, keys, strict=True) if k == key}),
                        )
                        for key in keys
                    }
                    names = [CELL[n] for n in by]
                    found = await module._counts(connection, names)
                    assert wanted == {
                        tuple(row[n] for n in names): (row["persons"], row["cases"]) for row in found
                    }


def at_ppk(judge: Judge, count: int) -> list[Entry]:
    events = [event for number in range(count) for event in history(judge, number, BREACH, RECOMMENDED)]
    return [Entry("CASES", seq, event) for seq, event in enumerate(events, 1)]


async def test_what_waits_is_told_by_its_limit_and_its_age(database_url: str, judge: Judge) -> None:
    async with opened(database_url) as views:
        await views.keep_all(at_ppk(judge, 12))
        answer = await Stats(views.engine).answer(("owner",), NOW)
        async with views.engine.connect() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(select(matters))]
        waiting = [row for row in rows if row["owner"] == "PPK"]
        assert len(waiting) >= 5
        (ppk,) = [row for row in answer["stages"] if row["owner"] == "PPK"]
        assert (ppk["persons"], ppk["state"]) == (len(waiting), "RECOMMENDED")
        assert ppk["oldest_since"] == min(row["since"] for row in waiting).isoformat()
        assert ppk["limit"] == {
            "under_25": len(waiting),
            "under_75": 0,
            "under_100": 0,
            "over": 0,
            "no_limit": 0,
        }
        assert ppk["waits"]["under_7_days"] == len(waiting)
        later = await Stats(views.engine).answer(("owner",), datetime(2025, 3, 1, tzinfo=UTC))
        (ppk,) = [row for row in later["ageing"] if row["owner"] == "PPK"]
        assert ppk["overdue"] == ppk["limit"]["over"] == len(waiting)
        assert ppk["waits"]["90_days_and_more"] == len(waiting)


async def test_the_tables_of_an_answer_are_of_one_moment(tmp_path: Path, judge: Judge) -> None:
    """Between two of its questions everything counted goes away, as when the last of a state moves on."""
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'views.db'}") as views:
        await views.keep_all(at_ppk(judge, 12))
        before = await Stats(views.engine).answer(("owner",), NOW)
        asked = []

        def moves_on(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            asked.append(statement)
            if len([one for one in asked if one.startswith("SELECT")]) == 1:
                with closing(sqlite3.connect(tmp_path / "views.db", isolation_level=None)) as other:
                    other.execute("DELETE FROM tallies")
                    other.execute("DELETE FROM waits")

        event.listen(views.engine.sync_engine, "after_cursor_execute", moves_on)
        assert await Stats(views.engine).answer(("owner",), NOW) == before
        assert len(asked) > 2
        assert (await Stats(views.engine).answer(("owner",), NOW))["counts"] == []


async def test_no_table_shows_what_another_one_hides(database_url: str, judge: Judge) -> None:
    """Found by hand: the counts hid how many wait with Bawaslu, and the stages below said it."""
    events = [
        event for number in range(1, 21) for event in history(judge, number, person__name=f"Orang {number}")
    ]
    events += history(judge, 30, BREACH) + history(judge, 31, BREACH, RECOMMENDED)
    async with opened(database_url) as views:
        await views.keep_all([Entry("CASES", seq, event) for seq, event in enumerate(events, 1)])
        answer = await Stats(views.engine).answer(("owner", "state"), NOW)
    counts = {(row["owner"], row["state"]): (row["persons"], row["cases"]) for row in answer["counts"]}
    assert counts["BAWASLU", "ROUTED"] == (MASKED, MASKED)
    for row in answer["stages"]:
        assert (row["persons"], row["cases"]) == counts[row["owner"], row["state"]]
    for row in (*answer["stages"], *answer["ageing"]):
        if row["owner"] == "BAWASLU":
            assert MASKED in row["limit"].values()
            assert MASKED in row["waits"].values()
