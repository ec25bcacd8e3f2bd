"""The address of a database: as an operator writes it, as its maker gives it out, and as SQLAlchemy takes it."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator

_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_KNOWN = ("host", "passfile", "prepared_statement_cache_size", "ssl", "sslmode", "target_session_attrs")
"""What may stand behind the `?` of PostgreSQL."""
_ENCRYPTED = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_BY_ENVIRONMENT = ("sslrootcert", "sslcert", "sslkey")


def database_address(given: str) -> str:
    """The address for SQLAlchemy; empty is none. Raises ValueError, which says cause and cure, and never the password."""
    scheme, _, rest = given.strip().partition("://")
    if not scheme:
        return ""
    driver = _DRIVERS.get(scheme)
    if driver is None:
        raise ValueError(
            "is no address of a database that can be used; write postgresql://user:password@host/name, or leave it out: "
            "then it is SQLite in data_dir"
        )
    return f"{driver}://{_file(rest) if scheme.startswith('sqlite') else _server(rest)}"


def _file(rest: str) -> str:
    if rest.lstrip("/") in {"", ":memory:"} or not rest.startswith("/"):
        raise ValueError("names no file; write sqlite:////folder/name.db")
    return rest


def _server(rest: str) -> str:
    before, _, query = rest.partition("?")
    authority, _, name = before.rpartition("@")[2].partition("/")
    if before.count("@") > 1 or not _has_a_port(authority):
        raise ValueError("cannot be read; write host:5432, and in a password %40 for @, %3A for :, %3F for ?")
    words = parse_qsl(query, keep_blank_values=True)
    if not name or not (authority or any(word == "host" for word, _ in words)):
        raise ValueError("names no server or no database; write postgresql://user:password@host/name")
    for word, value in words:
        if word not in _KNOWN:
            raise ValueError(f"says {word[:40]!r} behind the ?, which is not known here; {_cure(word)}")
        if word in ("ssl", "sslmode") and value not in _ENCRYPTED:
            raise ValueError(f"says no sslmode that there is; write one of {', '.join(_ENCRYPTED)}")
        if word == "prepared_statement_cache_size" and not value.isdecimal():
            raise ValueError(
                "says prepared_statement_cache_size, which is no number; write 0 behind a pooler"
            )
    driver_s = [("ssl" if word == "sslmode" else word, value) for word, value in words]
    return before + (f"?{urlencode(driver_s, safe=':/')}" if driver_s else "")


def _has_a_port(authority: str) -> bool:
    """Or none, which is 5432."""
    try:
        return urlsplit(f"//{authority}").port != 0
    except ValueError:
        return False


def _cure(word: str) -> str:
    if word in _BY_ENVIRONMENT:
        return f"set PG{word.upper()} in the environment instead"
    return f"leave it out, or write one of {', '.join(_KNOWN)}"


DatabaseAddress = Annotated[str, AfterValidator(database_address)]
"""A setting that is the address of a database; its value is what SQLAlchemy takes."""
