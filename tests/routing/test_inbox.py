"""Inboxes are filtered and paged by the key they are sorted by, from an index, however many cases lie there."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing.core.decide import Judge
from services.routing.inbox import MOST_PERSONS, ORDERS, Wanted, page_of_inbox, wanted_of
from services.routing.views import Views
from services.routing.views_tables import inbox, matters
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import Clock, in_process

MANY = 100_000
START = datetime(2024, 1, 1, tzinfo=UTC)


async def filled(path: Path, many: int) -> AsyncEngine:
    """A case every minute; every tenth of another office, every third with a time limit."""
    views = Views(open_engine(f"sqlite+aiosqlite:///{path}", durable=False))
    await views.open()
    rows = [
        {
            "agency": "BAWASLU",
            "office": "kabkota:16.07" if number % 10 else "prov:16",
            "role": "ACTION",
            "case_id": f"{number * 7919 % many:036d}",
            "ref": "p1",
            "region": "kemendagri:16.07",
            "state": "BREACH" if number % 50 == 0 else "ROUTED",
            "opened_at": START + timedelta(minutes=number),
            "updated_at": START + timedelta(minutes=number * 31 % many),
            "due_at": START + timedelta(days=number % 400) if number % 3 == 0 else None,
        }
        for number in range(many)
    ]
    async with views.engine.begin() as connection:
        await connection.execute(insert(inbox), rows)
    return views.engine


async def with_persons(engine: AsyncEngine, cases: int, persons: int) -> None:
    """The matters of those cases, of so many persons each."""
    rows = [
        {
            "case_id": f"{case:036d}",
            "ref": f"p{ref}",
            "ticket": f"NTR-{case}",
            "region": "kemendagri:16.07",
            "state": "ROUTED",
            "stage": "STUDY",
            "class": "NEUTRALITY",
            "closed": False,
            "since": START,
            "late": False,
            "matter": "{}",
        }
        for case in range(cases)
        for ref in range(1, persons + 1)
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(matters), rows)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with 100,000 cases."""
    path = tmp_path_factory.mktemp("inbox") / "many.db"

    async def fill() -> None:
        await (await filled(path, MANY)).dispose()

    asyncio.run(fill())
    return path


class Worked:
    """Counts the instructions SQLite runs, in thousands: a measure that no busy machine disturbs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.count = 0
        event.listen(engine.sync_engine, "checkout", self._watch)

    def _watch(self, connection: Any, _record: Any, _proxy: Any) -> None:
        connection.driver_connection._conn.set_progress_handler(self._one, 100)

    def _one(self) -> int:
        self.count += 1
        return 0

    def since(self) -> int:
        found, self.count = self.count, 0
        return found


@pytest.mark.thorough
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("office", [None, "kabkota:16.07"], ids=["agency", "office"])
async def test_a_page_deep_in_100_000_cases_costs_what_the_first_one_costs(
    many: Path, order: str, office: str | None
) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{many}")
    worked = Worked(engine)
    first, cursor = await page_of_inbox(engine, Wanted("BAWASLU", office, order, limit=200))
    cost_of_first = worked.since()
    assert cursor
    assert cost_of_first > 0
    middle = START + timedelta(minutes=MANY // 2) if order != "due" else START + timedelta(days=200)
    deep, _ = await page_of_inbox(engine, Wanted("BAWASLU", office, order, after=(middle, "5"), limit=200))
    assert len(deep) == len(first) == 200
    assert worked.since() <= 2 * cost_of_first + 10
    await engine.dispose()


@pytest.mark.thorough
async def test_pages_of_every_order_follow_each_other_without_gap_or_repetition(tmp_path: Path) -> None:
    engine = await filled(tmp_path / "many.db", 5_000)
    for order in ORDERS:
        seen_ids: list[str] = []
        query: dict[str, str] = {"order": order, "limit": "200"}
        while True:
            rows, cursor = await page_of_inbox(engine, wanted_of("BAWASLU", None, query))
            seen_ids += [row["case_id"] for row in rows]
            if cursor is None:
                break
            query["cursor"] = cursor
        assert len(seen_ids) == len(set(seen_ids)) == (1667 if order == "due" else 5_000)
    await engine.dispose()


@pytest.mark.thorough
@pytest.mark.parametrize("order", ORDERS)
async def test_a_page_ends_early_where_its_cases_have_many_persons_and_the_next_goes_on_there(
    tmp_path: Path, order: str
) -> None:
    engine = await filled(tmp_path / "large.db", 36)
    await with_persons(engine, 36, MOST_PERSONS // 5)
    query: dict[str, str] = {"order": order, "limit": "9"}
    pages = []
    while query.get("cursor", "first"):
        rows, cursor = await page_of_inbox(engine, wanted_of("BAWASLU", None, query))
        pages.append([row["case_id"] for row in rows])
        query["cursor"] = cursor or ""
    assert {len(page) for page in pages[:-1]} == {5}
    shown = [case_id for page in pages for case_id in page]
    assert len(shown) == len(set(shown)) == (12 if order == "due" else 36)
    await engine.dispose()


async def test_a_case_with_more_persons_than_a_page_has_comes_alone(tmp_path: Path) -> None:
    engine = await filled(tmp_path / "larger.db", 2)
    await with_persons(engine, 2, MOST_PERSONS + 1)
    rows, cursor = await page_of_inbox(engine, Wanted("BAWASLU"))
    assert len(rows) == 1
    assert cursor
    await engine.dispose()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"limit": "201"}, "limit is a number from 1 to 200"),
        ({"limit": "٣"}, "limit is a number from 1 to 200"),
        ({"order": "due", "cursor": "x"}, "cursor is the next_cursor"),
        ({"state": "ROUTED", "colour": "red"}, "colour is no filter here"),
        ({"region": "kemendagri:92.71"}, "region is superseded"),
    ],
)
def test_a_wrong_query_names_the_filter_and_the_cure(query: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match="^" + says):
        wanted_of("BAWASLU", None, query)


def test_a_cursor_of_one_order_is_none_of_another() -> None:
    text = base64.urlsafe_b64encode(f"{START.isoformat()}|opened {'0' * 36}".encode()).decode()
    assert wanted_of("BAWASLU", None, {"cursor": text}).after == (START, "0" * 36)
    with pytest.raises(ValueError, match="cursor"):
        wanted_of("BAWASLU", None, {"cursor": text, "order": "due"})


@pytest.mark.broker
async def test_an_inbox_is_filtered_by_state_region_role_limit_and_change(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        here = await opened(system, "k1", person__name="Satu")
        there = await opened(system, "k2", person__name="Dua", incident__region="kemendagri:16.07")
        clock.at += timedelta(hours=1)
        await say(system, here, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, here, 1)

        async def cases(agency: str = "BKN", **query: str) -> list[str]:
            return [case["case_id"] for case in await system.inbox(agency, **query)]

        assert await cases(state="BREACH") == [here]
        assert await cases(state="ROUTED") == [there]
        assert await cases(region="kemendagri:16.07") == [there]
        assert await cases(region="kemendagri:52") == [here]
        assert await cases(role="ACTION") == [here]
        assert await cases(updated_since=clock.at.isoformat()) == [here]
        assert await cases(order="updated") == [there, here]
        assert set(await cases("BAWASLU", due_before="2030-01-01")) == {there}
        assert await cases("BAWASLU", due_before="2020-01-01") == []


@pytest.mark.broker
async def test_an_unchanged_answer_is_not_sent_again(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        key = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        for path in ("/v1/agencies/BAWASLU/inbox", f"/v1/agencies/BAWASLU/cases/{case_id}"):
            first = await system.routing.get(path, headers=key)
            again = await system.routing.get(
                path, headers={**key, "If-None-Match": f"W/{first.headers['ETag']}"}
            )
            assert (again.status_code, again.content, again.headers["ETag"]) == (
                304,
                b"",
                first.headers["ETag"],
            )
        tag = first.headers["ETag"]
        moves = f"/v1/agencies/BAWASLU/cases/{case_id}/moves"
        noted = await system.routing.post(
            moves, json={"move": "ACKNOWLEDGE"}, headers={**key, "If-Match": tag}
        )
        assert noted.status_code == 200, noted.text
        await seen(system, case_id, 1)
        stale = await system.routing.post(moves, json={"move": "DONE"}, headers={**key, "If-Match": tag})
        assert stale.status_code == 409
        changed = await system.routing.get(path, headers={**key, "If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.json()["step"] == 1


@pytest.mark.broker
async def test_taking_note_is_recorded_and_changes_nothing_else(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        before = (await seen(system, case_id, 0))["persons"]
        assert (await say(system, case_id, "BKN", to="moves", move="ACKNOWLEDGE")).status_code == 200
        assert (await say(system, case_id, "PPK", to="moves", move="ACKNOWLEDGE")).status_code == 404
        story = await seen(system, case_id, 1)
        assert story["persons"] == before
        assert "ACKNOWLEDGE" in str(story["timeline"])
        answers = {
            a: (await system.get(f"/v1/agencies/{a}/cases/{case_id}", a)).json() for a in ("BKN", "BAWASLU")
        }
        assert answers["BKN"]["acknowledged"]
        assert answers["BAWASLU"]["acknowledged"] is None


@pytest.mark.broker
async def test_who_is_only_informed_sees_codes_and_who_acted_goes_on_seeing(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system, person__name="Kanari Satu")

        async def dossier(agency: str) -> dict[str, Any]:
            return dict(
                (await system.get(f"/v1/agencies/{agency}/cases/{case_id}", agency)).json()["dossier"]
            )

        assert "Kanari" not in str(await dossier("BKN"))
        assert (await dossier("BKN"))["persons"][0]["nip"] == "*" * 16 + "01"
        assert "narrative" in (await dossier("BKN"))["withheld"]
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, case_id, 1)
        assert (await dossier("BKN"))["persons"][0]["name"] == "Kanari Satu"
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        await seen(system, case_id, 2)
        assert (await dossier("BKN"))["persons"][0]["name"] == "Kanari Satu"
        assert (await dossier("BAWASLU"))["persons"][0]["name"] == "Kanari Satu"
        ppk = await dossier("PPK")
        assert ppk["narrative"]
        assert "reporter" not in ppk
        assert a_report()["evidence"][0].keys() - ppk["evidence"][0].keys() <= {"name"}
        assert "Kanari" not in str(await dossier("KEMENPANRB"))
