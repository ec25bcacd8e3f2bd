"""The doctor names a damaged SQLite file, whether or not a service has met the damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from services.cli.backup import addresses
from services.cli.checks.database_files import CURE, database_files
from services.cli.checks.finding import Verdict


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "notifications.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE notices (id INTEGER PRIMARY KEY, words TEXT)")
        connection.executemany("INSERT INTO notices (words) VALUES (?)", [("x" * 500,)] * 200)
        connection.commit()
    return path


def looked(path: Path) -> list[tuple[Verdict, str]]:
    found = database_files({"notifications": f"sqlite+aiosqlite:///{path}"})
    return [(one.verdict, one.says) for one in found]


def test_a_whole_file_is_well_also_while_it_is_in_use(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("INSERT INTO notices (words) VALUES ('y')")
        assert looked(ledger) == [(Verdict.OK, "whole")]


@pytest.mark.parametrize("where", [0, 3 * 4096])
def test_a_damaged_page_is_named_with_its_cure(ledger: Path, where: int) -> None:
    raw = bytearray(ledger.read_bytes())
    raw[where : where + 2000] = b"\xa5" * 2000
    ledger.write_bytes(raw)
    (finding,) = database_files({"notifications": f"sqlite+aiosqlite:///{ledger}"})
    assert (finding.verdict, finding.cure) == (Verdict.FAIL, CURE)
    assert f"{ledger} is damaged" in finding.says


def test_what_is_not_there_or_on_a_server_is_not_looked_at(tmp_path: Path) -> None:
    assert looked(tmp_path / "none.db") == []
    assert list(database_files({"routing": "postgresql+asyncpg://db.example/netral"})) == []


def test_the_runbook_says_what_to_do_with_each() -> None:
    book = (Path(__file__).parents[3] / CURE.partition(" ")[0]).read_text()
    names = [make_url(address).database for address in addresses().values()]
    assert names
    assert all(f"`{Path(name or '').name}`:" in book for name in names)
