"""Runs services for tests: in this process with a clock of their own, or as real processes that can be killed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from services.intake.app import build_app as build_intake
from services.intake.settings import IntakeSettings
from services.routing.app import build_app as build_routing
from services.routing.core.decide import Judge
from services.routing.dossiers import Dossiers
from services.routing.settings import RoutingSettings
from tests.conftest import Broker
from tests.forked import Forked
from tests.packaged import packaged_judge
from tests.ports import free_port


async def until(fact: Callable[[], Awaitable[Any]], patience: float = 30) -> Any:
    """Wait for a fact, not for a while; the first true answer is returned."""
    for _ in range(int(patience / 0.05)):
        if answer := await fact():
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {patience} s in vain")


@dataclass
class Clock:
    """A clock that stands until it is set; UTC."""

    at: datetime = datetime(2026, 11, 24, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass
class System:
    """Intake and routing over one broker, in this process."""

    intake: httpx.AsyncClient
    routing: httpx.AsyncClient
    clock: Clock
    keys: dict[str, str]

    async def send(self, report: dict[str, Any], key: str) -> httpx.Response:
        return await self.intake.post("/v1/reports", json=report, headers={"Idempotency-Key": key})

    async def inbox(self, agency: str, **query: str) -> list[dict[str, Any]]:
        """Every case in an agency's inbox, page after page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            params = {"limit": "200", **query, **({"cursor": cursor} if cursor else {})}
            answer = await self.get(f"/v1/agencies/{agency}/inbox", agency, **params)
            found += answer.json()["cases"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return found

    async def get(self, path: str, agency: str, **params: str) -> httpx.Response:
        return await self.routing.get(
            path, params=params, headers={"Authorization": f"Bearer {self.keys[agency]}"}
        )

    async def story(self, ticket: str) -> dict[str, Any]:
        """The operator's story of a case, once the case is decided."""

        async def told() -> dict[str, Any] | None:
            answer = await self.get(f"/v1/operator/cases/{ticket}", "OPERATOR")
            return dict(answer.json()) if answer.status_code == 200 and answer.json()["decision"] else None

        return dict(await until(told))


@asynccontextmanager
async def in_process(
    broker: Broker,
    *,
    clock: Clock | None = None,
    judge: Judge | None = None,
    routing: dict[str, Any] | None = None,
    sweep: float = 0.5,
) -> AsyncIterator[System]:
    """The system in this process, ready; `routing` are further settings of that service.

    `sweep` seconds lie between two looks for limits that the timers missed: they do not follow our clock.
    """
    shared: dict[str, Any] = {"data_dir": broker.data_dir, "nats_url": broker.settings.nats_url}
    clock = clock or Clock()
    intake = build_intake(IntakeSettings(**shared), clock=clock)
    inner = httpx.AsyncClient(transport=httpx.ASGITransport(intake), base_url="http://intake")
    dossiers = Dossiers(inner, broker.settings.secret("service-token"))
    cases = {"sweep_seconds": sweep, "cases_url": broker.cases_url}
    settings = RoutingSettings(**{**cases, **shared, **(routing or {})})
    app = build_routing(settings, clock=clock, judge=judge or packaged_judge(), dossiers=dossiers)
    keys = json.loads(broker.settings.secret("agency-keys.json"))
    async with intake.router.lifespan_context(intake), app.router.lifespan_context(app):
        door = httpx.AsyncClient(transport=httpx.ASGITransport(intake), base_url="http://intake")
        agencies = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://routing")
        for client in (door, agencies):
            await until(_ready(client))
        yield System(door, agencies, clock, keys)


def _ready(client: httpx.AsyncClient) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return (await client.get("/readyz")).status_code == 200

    return ready


@dataclass
class Processes:
    """The services as processes over a broker; each can be killed and started again."""

    broker: Broker
    ports: dict[str, int] = field(
        default_factory=lambda: {n: free_port() for n in ("intake", "routing", "notifications", "smtp")}
    )
    running: dict[str, subprocess.Popen[bytes] | Forked] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    code: Path | None = None
    """Where the code lies that new processes run; None is this checkout."""
    anew: bool = False
    """Whether a start reads all modules, as an installation's does; where it is timed or weighed, it must."""
    modules: dict[str, str] = field(
        default_factory=lambda: {
            "smtp": "deploy.local.mailbox",
            "intake": "services.intake",
            "routing": "services.routing",
            "notifications": "services.notifications",
        }
    )

    def env(self) -> dict[str, str]:
        ports = {f"NETRAL_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        intake = f"http://127.0.0.1:{self.ports['intake']}"
        shared = {
            "NETRAL_DATA_DIR": str(self.broker.data_dir),
            "NETRAL_NATS_URL": self.broker.settings.nats_url,
            "NETRAL_QUIET_HOURS": "",  # no test depends on the hour of the day
        }
        code = {"PYTHONPATH": str(self.code)} if self.code else {}
        return {**os.environ, **ports, **shared, "NETRAL_INTAKE_URL": intake, **code, **self.extra}

    def start(self, name: str) -> None:
        log, argv = self.broker.data_dir / "logs" / f"{name}.log", self.modules[name].split()
        if not (self.anew or self.code):
            self.running[name] = Forked(argv, self.env(), log, log)
            return
        with log.open("ab") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *argv], env=self.env(), cwd=self.code, stdout=output, stderr=output
            )

    def kill(self, name: str) -> None:
        """kill -9."""
        self.running[name].kill()
        self.running[name].wait()

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)

    def logs(self) -> str:
        folder: Path = self.broker.data_dir / "logs"
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    async def ready(self, name: str) -> None:
        """Wait until a service says so. To read the authorities of certificates for each question would take a core."""

        async def answers() -> bool:
            try:
                return (await client.get(self.url(name) + "/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        async with httpx.AsyncClient(verify=False) as client:
            await until(answers)
