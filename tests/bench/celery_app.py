"""The same pipeline in Celery over Redis: a Starlette door, and a worker with rules as ifs that stores six messages."""

import json
import os
from typing import Any

import redis
from celery import Celery
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.report import Report
from tests.bench.doors import agencies_of

ADDRESS = os.environ.get("NETRAL_BENCH_REDIS", "redis://127.0.0.1:6379/0")

celery = Celery("usual", broker=ADDRESS)
celery.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
store = redis.Redis.from_url(ADDRESS)


@celery.task(name="route")
def route(document: dict[str, Any]) -> None:
    """Six messages in one transaction, so one sync: the best that Redis offers."""
    told = agencies_of(Report.model_validate(document))
    with store.pipeline() as together:
        together.xadd("report", {"body": json.dumps(document)})
        together.xadd("decided", {"body": json.dumps({"agencies": told})})
        for agency in told:
            together.xadd(f"offered.{agency}", {"body": json.dumps({"agency": agency})})
        together.execute()


async def post(request: Request) -> Response:
    try:
        report = Report.model_validate_json(await request.body())
    except ValidationError as faults:
        return JSONResponse(faults.errors(include_context=False, include_url=False), 422)
    await run_in_threadpool(route.delay, report.model_dump(mode="json", by_alias=True))
    return JSONResponse({"ok": True}, 202)


door = Starlette(routes=[Route("/v1/reports", post, methods=["POST"])])
