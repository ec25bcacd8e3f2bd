"""The ops page in this process, over answers of services that a test gives."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.local.secrets import ensure
from services.ops.app import build_app
from services.ops.settings import OpsSettings
from services.ops.watching import Keys, Watch
from tests.running import until

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@dataclass
class Answers:
    """What the other parts of the system answer, by the end of the path; nothing: they are away."""

    by_path: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        found = self.by_path.get(request.url.path)
        if found is None:
            raise httpx.ConnectError("away")
        if isinstance(found, tuple):
            return httpx.Response(found[0], json=found[1])
        return httpx.Response(200, text=found) if isinstance(found, str) else httpx.Response(200, json=found)


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def settings(tmp_path):
    ensure(tmp_path)
    return OpsSettings(data_dir=tmp_path)


@pytest.fixture
def watch(settings, answers):
    client = httpx.AsyncClient(transport=httpx.MockTransport(answers))
    return Watch(settings, Keys("m", "o"), lambda: NOW, client)


@pytest.fixture
async def page(settings, watch):
    app = build_app(settings, watch=watch, clock=lambda: NOW)
    starlette = app
    while not hasattr(starlette, "router"):
        starlette = starlette._app
    async with (
        starlette.router.lifespan_context(starlette),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8083") as client,
    ):
        await until(partial(_looked, watch))
        yield client


async def _looked(watch: Watch) -> bool:
    """The page's own first look is over: it must not lie between two looks of a test."""
    return bool(watch.past)
