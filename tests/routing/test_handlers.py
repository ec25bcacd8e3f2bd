"""Large reports are decided a few at once, small ones all that are there."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from contracts.door import read_report
from contracts.events import ReportAccepted, ReportAcceptedData, event_id
from contracts.facts import facts_of
from contracts.ids import case_id_of
from services.routing.core.decide import Judge
from services.routing.handlers import FEW, LARGE, subscribe
from services.routing.law import Law
from tests.builders import TODAY, a_report

AT = datetime(2024, 10, 31, 3, tzinfo=UTC)
AT_ONCE = 6


class Durables:
    """Where handlers are bound, by the name of their durable."""

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[..., Any]] = {}

    def subscriber(self, **options: Any) -> Callable[..., Any]:
        return lambda handler: self.handlers.setdefault(options["durable"], handler)


class SlowBus:
    """Counts how many cases are being told at one moment; each takes long enough for all others to come."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def tell_case(self, first: Any, rest: Callable[[Any], Any]) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(50):
            await asyncio.sleep(0)
        self.now -= 1
        return False


def accepted(number: int, persons: int) -> ReportAccepted:
    report = a_report()
    (person,), (act,) = report["persons"], report["acts"]
    refs = [f"orang-{n}" for n in range(persons)]
    report["persons"] = [{**person, "ref": ref} for ref in refs]
    report["acts"] = [{**act, "person": ref} for ref in refs]
    report_id = UUID(int=number)
    facts = facts_of(read_report(report, TODAY), date(2024, 10, 25))
    data = ReportAcceptedData(report_id=report_id, case_id=case_id_of(report_id), ticket="NTR-0", facts=facts)
    return ReportAccepted(id=event_id(report_id, "accepted"), source="/t", subject="r", time=AT, data=data)


@pytest.mark.parametrize(("persons", "wanted"), [(LARGE, AT_ONCE), (LARGE + 1, FEW)])
async def test_a_hundred_of_the_largest_reports_do_not_fill_the_memory(
    judge: Judge, persons: int, wanted: int
) -> None:
    durables, bus = Durables(), SlowBus()
    law = Law(judge, lambda: AT)
    subscribe(durables, law=law, bus=bus, clock=lambda: AT)  # type: ignore[arg-type]
    bodies = [accepted(number, persons).model_dump_json(by_alias=True).encode() for number in range(AT_ONCE)]
    handler = durables.handlers["routing"]
    await asyncio.gather(*(handler(SimpleNamespace(body=body)) for body in bodies))
    assert bus.most == wanted
