"""The same pipeline in Celery over Redis: a FastAPI door, and a worker with rules as ifs that stores six messages.

With the address of a database in NETRAL_BENCH_VAULT the door does what ours does; see usual_vault.py.
"""

import json
import os
from contextlib import nullcontext
from typing import Annotated, Any

import redis
from celery import Celery
from fastapi import FastAPI, Header
from fastapi.concurrency import run_in_threadpool

from contracts.codes import Status
from contracts.events import ReportAccepted
from contracts.report import Report
from tests.bench.usual import agencies_of
from tests.bench.usual_vault import UsualVault

ADDRESS = os.environ.get("NETRAL_BENCH_REDIS", "redis://127.0.0.1:6379/0")
_LIES_AT = os.environ.get("NETRAL_BENCH_VAULT")
vault = UsualVault(_LIES_AT) if _LIES_AT else None

celery = Celery("usual", broker=ADDRESS)
celery.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
store = redis.Redis.from_url(ADDRESS)


@celery.task(name="route")  # type: ignore[untyped-decorator]
def route(document: dict[str, Any]) -> None:
    """Of a whole report."""
    _store(document, Report.model_validate(document).persons[0].status)


@celery.task(name="route_accepted")  # type: ignore[untyped-decorator]
def route_accepted(document: dict[str, Any]) -> None:
    """Of what may travel."""
    _store(document, ReportAccepted.model_validate(document).data.facts.persons[0].status)


def _store(document: dict[str, Any], status: Status) -> None:
    """Six messages in one transaction, so one sync: the best that Redis offers."""
    told = agencies_of(status)
    with store.pipeline() as together:
        together.xadd("report", {"body": json.dumps(document)})
        together.xadd("decided", {"body": json.dumps({"agencies": told})})
        for agency in told:
            together.xadd(f"offered.{agency}", {"body": json.dumps({"agency": agency})})
        together.execute()


door = FastAPI(lifespan=lambda _app: vault.opened() if vault else nullcontext())


@door.post("/v1/reports", status_code=202)
async def post(report: Report, idempotency_key: Annotated[str, Header()]) -> dict[str, str]:
    if vault is None:
        await run_in_threadpool(route.delay, report.model_dump(mode="json", by_alias=True))
        return {"ok": "yes"}
    event, answer = await vault.keep(report, idempotency_key)
    await run_in_threadpool(route_accepted.delay, event.model_dump(mode="json", by_alias=True))
    return answer
