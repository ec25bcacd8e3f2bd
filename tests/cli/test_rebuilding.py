"""`netral rebuild` says whether the views are what the streams say, names what is not, and mends it only if told so."""

import json
import sqlite3

import pytest

from tests.cli.conftest import Netral
from tests.cli.test_operating import operated, routed
from tests.conftest import Broker

__all__ = ["operated", "routed"]
pytestmark = pytest.mark.broker


def test_a_difference_is_named_and_mended_only_when_told_so(routed: Netral, fresh_nats: Broker) -> None:
    ran = routed("rebuild", "--check")
    assert ran.code == 0, ran.err
    assert ran.out.endswith("Equal: the views are what the streams say.\n")
    assert "CASES" in ran.err
    assert "100.0 %" in ran.err
    with sqlite3.connect(fresh_nats.data_dir / "routing.db") as by_hand:
        by_hand.execute("UPDATE matters SET state = 'BREACH'")
    by_hand.close()
    ran = routed("rebuild", "--check")
    assert (ran.code, "/p1: differs in state\n" in ran.out) == (1, True)
    ran = routed("rebuild")
    assert ran.code == 1
    assert "add --replace" in ran.err
    ran = routed("rebuild", "--replace")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Replaced: the views are now what the streams say.")
    told = json.loads(routed("rebuild", "--json").out)
    assert told[-1] == {"event": "done", "equal": True, "replaced": False}


def test_check_and_replace_exclude_each_other(netral: Netral) -> None:
    assert netral("rebuild", "--check", "--replace").code == 2
