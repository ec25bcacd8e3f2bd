"""Whoever gives a database gives its address in a form of their own; what cannot be used is one sentence with the cure."""

import pytest
from sqlalchemy import make_url

from services.intake.settings import IntakeSettings
from services.runtime.database import open_engine
from services.runtime.database_address import database_address
from services.runtime.settings import BadSettings, load

SECRET = "rahasia"


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgresql+asyncpg://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgresql://u:p@h:5433/n", "postgresql+asyncpg://u:p@h:5433/n"),
        (" postgres://u@h/n\n", "postgresql+asyncpg://u@h/n"),
        (
            "postgres://u:p%40%2F@[::1]:5432/n?sslmode=require",
            "postgresql+asyncpg://u:p%40%2F@[::1]:5432/n?ssl=require",
        ),
        ("postgresql:///n?host=/run/postgresql", "postgresql+asyncpg:///n?host=/run/postgresql"),
        (
            "postgresql://u:p@/n?host=a:5432&host=b:5432&target_session_attrs=read-write",
            "postgresql+asyncpg://u:p@/n?host=a:5432&host=b:5432&target_session_attrs=read-write",
        ),
        ("sqlite:////data/x.db", "sqlite+aiosqlite:////data/x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("", ""),
    ],
)
async def test_the_forms_in_use_are_all_taken(written: str, used: str) -> None:
    assert database_address(written) == used
    if used:
        assert make_url(used).drivername in {"postgresql+asyncpg", "sqlite+aiosqlite"}
        await open_engine(used).dispose()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (
            f"{SECRET}",
            "is no address of a database that can be used; write postgresql://user:password@host/name",
        ),
        (f"mysql://u:{SECRET}@h/n", "is no address of a database that can be used"),
        (f"postgresql+psycopg://u:{SECRET}@h/n", "is no address of a database that can be used"),
        (f"postgresql://u:{SECRET}@h", "names no server or no database"),
        (f"postgresql://u:{SECRET}@/n", "names no server or no database"),
        ("postgresql://", "names no server or no database"),
        (f"postgresql://u:{SECRET}@h:port/n", "cannot be read; write host:5432, and in a password %40 for @"),
        (f"postgresql://u:{SECRET}@h:0/n", "cannot be read"),
        (f"postgresql://u:{SECRET}@x@h/n", "cannot be read"),
        (f"postgresql://u:{SECRET}?x@h/n", "cannot be read"),
        (f"postgresql://u:{SECRET}@[h/n", "cannot be read"),
        (
            f"postgresql://u:{SECRET}@h/n?sslmode=sure",
            "write one of disable, allow, prefer, require, verify-ca, verify-full",
        ),
        (f"postgresql://u:{SECRET}@h/n?sslrootcert=x", "set PGSSLROOTCERT in the environment instead"),
        (
            f"postgresql://u:{SECRET}@h/n?connect_timeout=3",
            "says 'connect_timeout' behind the ?, which is not known here",
        ),
        (f"postgresql://u:{SECRET}@h/n?prepared_statement_cache_size=few", "which is no number"),
        ("sqlite://", "names no file; write sqlite:////folder/name.db"),
        ("sqlite+aiosqlite:///:memory:", "names no file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_with_the_cure_and_without_the_password(
    written: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_VAULT_URL", written)
    with pytest.raises(BadSettings) as refused:
        load(IntakeSettings)
    text = str(refused.value)
    assert text.startswith("NETRAL_VAULT_URL: ")
    assert says in text
    assert SECRET not in text
    assert len(text.splitlines()) == 1
