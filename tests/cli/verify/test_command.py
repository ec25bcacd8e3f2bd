"""`netral verify` says in sentences what is not as promised, and by its exit code whether anything is."""

import json
from typing import Any

import pytest
import uvloop

from services.cli.verify.logbook import Unread
from services.routing.core.decide import Judge
from tests.behind import Behind
from tests.cli.conftest import Netral
from tests.cli.verify.planting import a_log, kinds, stored, without
from tests.conftest import Broker

pytestmark = pytest.mark.broker


def keep(broker: Broker, log: list[dict[str, Any]]) -> None:
    async def work() -> None:
        async with stored(broker, log):
            pass

    uvloop.run(work())


def test_findings_are_sentences_with_their_case_and_the_exit_code_is_one(
    fresh_nats: Broker, judge: Judge, netral: Netral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    monkeypatch.setenv("NETRAL_NATS_URL", fresh_nats.settings.nats_url)
    nothing = netral("verify", "--patience", "0")
    assert "no-database: the vault is not there" in nothing.err
    log = a_log(judge, "lie")
    keep(fresh_nats, without(log, "offered.BAWASLU"))
    ran = netral("verify", "--patience", "0")
    case_id = log[1]["event"]["data"]["case_id"]
    assert ran.code == 1
    assert f"not-offered: {case_id}: BAWASLU got a part about p1 at step 0 and was not told" in ran.err
    assert "1 reports, 1 cases" in ran.out
    told = json.loads(netral("verify", "--patience", "0", "--json").out)
    assert ("not-offered", case_id) in [(f["kind"], f["subject"]) for f in told["findings"]]


def test_a_broker_that_is_away_is_one_sentence(
    netral: Netral, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    broker = Broker(tmp_path / "data")
    monkeypatch.setenv("NETRAL_NATS_URL", broker.settings.nats_url)
    ran = netral("verify")
    assert ran.code == 1
    assert "netral up" in ran.err


async def test_what_the_broker_has_and_does_not_give_is_not_called_missing(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with stored(fresh_nats, a_log(judge, "unread")) as bus:
        with pytest.raises(Unread, match="the broker has 1 messages of REPORTS and gave 0 of them"):
            await kinds(Behind(bus.nc), fresh_nats.data_dir)
