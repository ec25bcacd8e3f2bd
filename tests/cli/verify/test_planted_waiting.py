"""The independent checker counts how long a person waits for the operator, and finds what was said of it wrongly."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from contracts.events import CaseWaiting, CaseWaitingData, event_id
from services.routing.core.decide import Judge
from tests.cli.verify.planting import (
    OPENED,
    Document,
    Lie,
    a_log,
    as_documents,
    changed,
    kinds,
    stored,
    told,
    without,
)
from tests.cli.verify.test_planted import with_due
from tests.conftest import Broker

pytestmark = pytest.mark.broker
WEEKS_LATER = OPENED + timedelta(days=14)


def true_log(judge: Judge) -> list[Document]:
    """Bawaslu gave a person back, nobody took it up, and the operator was told that it waits too long."""
    log = with_due(a_log(judge, "waits", (("BAWASLU", "REFUSE", None),)))
    step = told(log, "step.1")["data"]
    (person,) = step["persons"]
    names = {name: step[name] for name in ("case_id", "ticket", "region")}
    data = CaseWaitingData.model_validate(
        {
            **names,
            "person": person["ref"],
            "reason": person["owner"]["why"],
            "last_day": person["alarm"]["last_day"],
        }
    )
    event = CaseWaiting(
        id=event_id(UUID(step["case_id"]), "waiting", data.person, str(data.last_day)),
        source="netral/routing",
        subject=step["case_id"],
        time=datetime.fromisoformat(person["alarm"]["at"]) + timedelta(minutes=1),
        data=data,
    )
    return [*log, *as_documents([event])]


def too_early(log: list[Document]) -> None:
    told(log, "waiting")["time"] = (OPENED + timedelta(days=1, hours=1)).isoformat()


LIES: dict[str, tuple[Lie, str]] = {
    "due-missed": (lambda log: without(log, "waiting"), "the limit of OPERATOR about p1 until 2026-"),
    "due-for-nothing": (changed("waiting", 0, "last_day", to="2026-12-31"), "until 2026-12-31: its end"),
    "due-at-wrong-time": (too_early, "the limit of OPERATOR about p1"),
    "wrong-queue": (
        changed("waiting", 0, "reason", to="queue.lost"),
        "p1 was said to wait in queue.lost, not in queue.",
    ),
}


async def test_a_true_log_of_who_waited_for_the_operator_has_no_findings(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with stored(fresh_nats, true_log(judge)) as bus:
        assert await kinds(bus, fresh_nats.data_dir, WEEKS_LATER) == {}


@pytest.mark.parametrize("kind", LIES)
async def test_a_lie_about_who_waits_for_the_operator_is_found_and_named(
    fresh_nats: Broker, judge: Judge, kind: str
) -> None:
    lie, words = LIES[kind]
    log = true_log(judge)
    log = lie(log) or log
    async with stored(fresh_nats, log) as bus:
        found = await kinds(bus, fresh_nats.data_dir, WEEKS_LATER)
    assert words in found[kind], found
