"""Addresses that an operator gives: of web servers and of the broker. What is none is refused before anything starts."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]*)(?=@)")
_BROKERS = frozenset({"nats", "tls", "ws", "wss"})


def http_address(given: str) -> str:
    """The address of a web server; empty is none. Raises ValueError."""
    if given and not _reachable(given, frozenset({"http", "https"})):
        raise ValueError("is no address of a web server; write https://host or http://host:8080")
    return given


def http_addresses(given: str) -> str:
    """Several, with commas. Raises ValueError."""
    for one in given.split(","):
        http_address(one.strip())
    return given


def broker_addresses(given: str) -> str:
    """Of one NATS server, or of all in a cluster, with commas. Raises ValueError."""
    for one in given.split(","):
        if not _reachable(one if "://" in one else f"nats://{one.strip()}", _BROKERS):
            raise ValueError(
                "is no address of a NATS server; write nats://host:4222, of a cluster all with commas"
            )
    return given


def listening_at(host: str, port: int) -> str:
    """The address of a web server of ours, as others write it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def without_password(address: str) -> str:
    """An address, or several, as a person may see it."""
    return _PASSWORD.sub(r"\1:********", address)


def _reachable(address: str, schemes: frozenset[str]) -> bool:
    try:
        parts = urlsplit(address.strip())
        named = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and not any(sign.isspace() for sign in address.strip())


HttpAddress = Annotated[str, AfterValidator(http_address)]
HttpAddresses = Annotated[str, AfterValidator(http_addresses)]
BrokerAddresses = Annotated[str, AfterValidator(broker_addresses)]
