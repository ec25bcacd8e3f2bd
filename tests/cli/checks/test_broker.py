"""What doctor says of the room our account has at the broker."""

from typing import Any

import pytest
from nats.js.api import AccountInfo

from services.cli.checks.broker import room_of

NONE = {
    "max_memory": -1,
    "max_storage": -1,
    "max_streams": -1,
    "max_consumers": -1,
    "max_ack_pending": -1,
    "memory_max_stream_bytes": -1,
    "storage_max_stream_bytes": -1,
    "max_bytes_required": False,
}


def part(storage: int, most: int) -> dict[str, Any]:
    limits = {**NONE, "max_storage": most}
    return {"memory": 0, "storage": storage, "streams": 9, "consumers": 9, "limits": limits}


def account(storage: int, most: int, **tiers: dict[str, Any]) -> AccountInfo:
    api = {"total": 1, "errors": 0}
    return AccountInfo.from_response({**part(storage, most), "api": api, "tiers": tiers})


@pytest.mark.parametrize(
    ("storage", "most", "verdict"),
    [
        (5_000_000, -1, "ok"),
        (5_000_000, 10_000_000, "ok"),
        (9_000_000, 10_000_000, "warn"),
        (10_000_000, 10_000_000, "fail"),
        (10_000_000, 5_000_000, "fail"),
        (1, 0, "fail"),
    ],
)
def test_a_limit_that_is_near_or_below_what_is_stored_is_named(storage: int, most: int, verdict: str) -> None:
    found = room_of(account(storage, most))
    assert (found.verdict, bool(found.cure)) == (verdict, verdict != "ok")


def test_of_limits_for_each_number_of_copies_the_fullest_counts() -> None:
    found = room_of(account(0, -1, R1=part(1_000_000, 10_000_000), R3=part(30_000_000, 10_000_000)))
    assert (found.verdict, "30 MB" in found.says) == ("fail", True)
