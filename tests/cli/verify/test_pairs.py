"""The checker compares links, near matches and answers, what was said of limits, and the counts of waiting with the log."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from contracts.events import NoticeOutcome, NoticeSent, event_id
from contracts.ids import NETRAL, derived_id
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.clock import now
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.cli.verify.lying import Lie, each_is_named
from tests.cli.verify.planting import as_documents, kinds
from tests.cli.verify.test_databases import quiet
from tests.conftest import Broker
from tests.postgres import PostgresServer
from tests.routing.test_matches_api import answer, told, waiting
from tests.routing.test_steps_api import say, seen
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker


class Played(NamedTuple):
    """A connection of the operator to a quiet system, and where its databases lie."""

    bus: Bus
    folder: Path


@asynccontextmanager
async def playing(fresh_nats: Broker, judge: Judge) -> AsyncIterator[Played]:
    """One pair is the same, another is not; a third link was taken back; a case has two persons who wait elsewhere."""
    bus = await Bus.connect(fresh_nats.settings, "operator")
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        for name in ("Kanari Satu", "Kanari Satoe", "Merpati Dua", "Merpati Duwa"):
            await told(system, name)
        first, second = await waiting(system, 2)
        for reply, pair in (("SAME", first), ("DIFFERENT", second), ("SAME", second)):
            assert (await answer(system, pair["match_id"], reply)).status_code == 200
        back = second["duplicate"]["case_id"]
        await say(system, back, "OPERATOR", to="moves", move="VOID", step=1)
        await seen(system, back, 2)
        await two_persons(system)
        for entry in as_documents([*mails(back)]):
            await bus.js.publish(entry["subject"], json.dumps(entry["event"]).encode())
        await until(lambda: quiet(bus))
    yield Played(bus, fresh_nats.data_dir)
    await bus.close()


async def two_persons(system: System) -> None:
    """Of one case, of whom one is proven to have broken the law."""
    report = a_report(person__name="Elang Tiga")
    report["persons"].append({**report["persons"][0], "ref": "p2", "name": "Elang Empat", "nip": None})
    report["acts"].append({**report["acts"][0], "person": "p2"})
    ticket = (await system.send(report, "two")).json()["ticket"]
    case_id = (await system.story(ticket))["case_id"]
    await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH", person="p1")
    await seen(system, case_id, 1)


def mails(case_id: str) -> Iterator[NoticeSent]:
    """A mail that was sent, and came back."""
    notice_id = derived_id(NETRAL, "mail")
    for turn, outcome in enumerate((NoticeOutcome.SENT, NoticeOutcome.BOUNCED)):
        data = {"notice_id": notice_id, "case_id": case_id, "step": "OFFERED", "audience": "AGENCY"}
        data |= {"agency": "BKN", "office": "pusat", "outcome": outcome, "attempts": 1, "turn": turn}
        told_id = event_id(notice_id, "sent", *([str(turn)] if turn else []))
        event = {"id": told_id, "source": "netral/notifications", "subject": case_id}
        yield NoticeSent.model_validate({**event, "time": now(), "data": data})


ELSEWHERE = "'00000000-0000-5000-8000-000000000001'"
TO_NOBODY = f"VALUES ({ELSEWHERE}, {ELSEWHERE}, {ELSEWHERE})"
LIES: tuple[Lie, ...] = (
    ("model-link", f"UPDATE links SET root = {ELSEWHERE}", "link: root: the read model says"),
    ("model-link", f"UPDATE links SET meant = {ELSEWHERE}", "link: meant: the read model says"),
    ("model-link", "DELETE FROM links", "link: is not in the read model"),
    ("model-link", "INSERT INTO links SELECT case_id, root, meant FROM (SELECT case_id, 'x' AS root, 'x' AS meant"
     " FROM steps WHERE number = 2)", "link: is not in the log"),
    ("model-count", f"INSERT INTO links {TO_NOBODY}", "the table links has 2 rows, the log has 1"),
    ("model-said", "DELETE FROM spoken WHERE rowid = (SELECT min(rowid) FROM spoken)", "is not in the read model"),
    ("model-said", "UPDATE spoken SET level = 'QUEUE' WHERE rowid = (SELECT min(rowid) FROM spoken)", "not in the log"),
    ("model-wait", "UPDATE waits SET persons = persons + 1 WHERE mark = 'since'", "since 20"),
    ("model-wait", "DELETE FROM waits WHERE mark = 'over_at'", "over_at 20"),
    ("model-wait", "UPDATE waits SET at = datetime(at, '+1 day') WHERE owner = 'BKN' AND mark = 'since'", "None"),
    ("model-overlap", "UPDATE overlaps SET cases = cases + 1", "* * * * *: (2,) in the read model, (1,) by the log"),
    ("model-overlap", "DELETE FROM overlaps WHERE province = '*' AND owner = '*'", "None in the read model"),
    ("model-match", "DELETE FROM matches WHERE rowid = (SELECT min(rowid) FROM matches)", "is not in the read model"),
    ("model-match", f"UPDATE matches SET report_id = {ELSEWHERE}", "is not in the log"),
    ("model-match", f"UPDATE matches SET other_case = {ELSEWHERE}", "the read model says ["),
    ("model-match", "UPDATE matches SET ticket = 'NTR-X'", "NTR-X"),
    ("model-match", "UPDATE matches SET score = score / 2", "the read model says ["),
    ("model-match", "UPDATE matches SET reasons = '[\"SAME_ACT\"]'", "the read model says ["),
    ("model-match", "UPDATE matches SET at = datetime(at, '+1 day')", "the read model says ["),
    ("model-answer", "DELETE FROM match_answers WHERE number = 2", " 2: is not in the read model"),
    ("model-answer", "UPDATE match_answers SET number = 3 WHERE number = 2", " 3: is not in the log"),
    ("model-answer", "UPDATE match_answers SET answer = 'DIFFERENT'", 'the read model says ["DIFFERENT"'),
    ("model-answer", "UPDATE match_answers SET at = datetime(at, '+1 day')", "the read model says ["),
    ("model-answer", "UPDATE match_answers SET event = json_set(event, '$.data.other', 'x')", "the read model says ["),
    ("model-answer", "UPDATE match_answers SET event = 'x'", "the read model says ["),
    ("model-notice", "DELETE FROM notices WHERE outcome = 'BOUNCED'", "is not in the read model"),
    ("model-notice", f"UPDATE notices SET case_id = {ELSEWHERE}", "is not in the log"),
    ("model-notice", "UPDATE notices SET outcome = 'SENT' WHERE outcome = 'BOUNCED'", "the read model says ["),
    ("model-notice", "UPDATE notices SET at = datetime(at, '+1 day')", "the read model says ["),
    ("model-notice", "UPDATE notices SET office = NULL", "the read model says ["),
)  # fmt: skip


async def test_links_pairs_limits_said_and_counts_of_waiting_agree_and_every_difference_is_named(
    fresh_nats: Broker, judge: Judge
) -> None:
    later = now() + timedelta(minutes=11)
    async with playing(fresh_nats, judge) as played:
        assert await kinds(played.bus, played.folder, later) == {}
        await each_is_named(played.bus, played.folder / "routing.db", LIES, later)


async def test_so_it_is_with_postgresql(fresh_nats: Broker, judge: Judge, postgres: PostgresServer) -> None:
    url = fresh_nats.cases_url = postgres.new_database()
    later, engine = now() + timedelta(minutes=11), open_engine(url)
    async with playing(fresh_nats, judge) as played:
        assert await kinds(played.bus, played.folder, later, routing=url) == {}
        async with engine.begin() as connection:
            for table in ("links", "spoken", "waits", '"overlaps"', "match_answers", "matches", "notices"):
                await connection.execute(text(f"DELETE FROM {table}"))
        found = await kinds(played.bus, played.folder, later, routing=url)
    await engine.dispose()
    wanted = {f"model-{what}" for what in ("link", "said", "wait", "overlap", "answer", "match", "notice")}
    assert wanted <= found.keys(), found
