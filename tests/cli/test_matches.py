"""`netral matches` shows the pairs that wait, with reasons and age, and takes the answer of a person."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.door import read_report
from contracts.ids import report_id_of
from contracts.matches import Reason, ReportResembles, ReportResemblesData, Resemblance
from services.intake.core.acceptance import accept
from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.cli.conftest import Netral
from tests.cli.test_operating import CASE, RECEIVED, TICKET, operated, routed, until
from tests.conftest import Broker

pytestmark = pytest.mark.broker
__all__ = ["operated", "routed"]
LATER = "NTR-0000-0000-0000-0002"


async def resembles(
    broker: Broker, report: dict[str, Any], ticket: str = LATER, at: datetime = RECEIVED
) -> None:
    """A second report, which intake found to resemble the first."""
    accepted = accept(read_report(report, at.date()), ticket, at, b"a door key").event
    other = Resemblance(
        report_id=report_id_of(TICKET),
        case_id=CASE,  # type: ignore[arg-type]
        ticket=TICKET,
        score=0.93,
        reasons=(Reason.SAME_POST, Reason.SAME_DAY),
    )
    data = ReportResemblesData(
        report_id=accepted.data.report_id, case_id=accepted.data.case_id, ticket=ticket, others=(other,)
    )
    found = ReportResembles(id=report_id_of(ticket), source="/t", subject="r", time=at, data=data)
    bus = await Bus.connect(broker.settings, "intake")
    await bus.tell([accepted, found])
    await bus.close()


def test_a_pair_is_listed_with_its_reasons_answered_and_gone(
    routed: Netral, fresh_nats: Broker, report: dict[str, Any]
) -> None:
    assert routed("matches").out == "No pair of reports waits for an answer.\n"
    asyncio.run(resembles(fresh_nats, report))
    until(lambda: TICKET in routed("matches").out)
    shown = routed("matches").out
    assert "0.93" in shown
    assert "jabatan yang ditulis sama" in shown
    assert "1 wait." in shown
    (pair,) = json.loads(routed("matches", "list", "--json").out)["matches"]
    assert routed("matches", "same", pair["match_id"]).code == 2  # no reason
    done = routed("matches", "same", pair["match_id"], "--reason", "foto yang sama")
    linked = pair["duplicate"]["ticket"]
    assert f"case {pair['duplicate']['case_id']} is linked to {pair['goes_on']['case_id']}" in done.out
    until(lambda: "No pair" in routed("matches").out)
    until(lambda: f"Asked for by {linked}" in routed("case", linked).out)
    assert f"Duplicates linked to it: {linked}; 2 reports in all" in routed("case", linked).out
    assert "terkait duplikat" in routed("case", pair["duplicate"]["case_id"]).out
    again = routed("matches", "same", pair["match_id"], "--reason", "foto yang sama")
    assert again.out == f"{pair['match_id']}: linked before\n"
    assert routed("matches", "different", pair["match_id"], "--reason", "salah").code == 2
    assert routed("matches", "same", "nobody", "--reason", "x").code == 2


def test_the_doctor_counts_the_pairs_and_warns_once_the_oldest_waits_longer_than_five_days(
    routed: Netral, fresh_nats: Broker, report: dict[str, Any]
) -> None:
    def says() -> str:
        return next(line for line in routed("doctor").out.splitlines() if " matches: " in line)

    assert says() == "ok   matches: no pair of reports waits for an answer"
    asyncio.run(resembles(fresh_nats, report, at=now() - timedelta(days=5) + timedelta(hours=1)))
    until(lambda: "1 pairs of reports wait for an answer, the oldest since 20" in says())
    assert says().startswith("ok ")
    asyncio.run(resembles(fresh_nats, report, "NTR-0000-0000-0000-0003", now() - timedelta(days=5, hours=1)))
    until(lambda: "2 pairs of reports wait" in says())
    assert says().startswith("warn")
    assert "cure: answer them: `netral matches`" in routed("doctor").out


def test_the_doctor_says_when_the_pairs_cannot_be_counted(operated: Netral) -> None:
    assert "warn matches: cannot be counted" in operated("doctor").out
