"""The pages for people on duty: what is wrong now, where it lags, the last traces, one trace, one case. No script runs."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.ops.core.booklet import blocks
from services.ops.core.objectives import PROBES
from services.ops.core.rates import rates, red, spark
from services.ops.core.verdicts import verdicts
from services.ops.core.waterfall import waterfall
from services.ops.core.words import STATES, indonesian
from services.ops.jaeger import as_jaeger
from services.ops.settings import OpsSettings
from services.ops.store import Spans
from services.ops.watching import Watch
from services.runtime.http import problem

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_HTTP, _BUS = "http_server_request_duration_seconds", "messaging_process_duration_seconds"
_CONSUMED = "messaging_client_consumed_messages_total"
ACCEPTED = "netral_reports_accepted_total"
ROUTED = "netral_report_routed_age_seconds_count"


class Pages:
    """Server-rendered; every figure on them is also on `/metrics` or `/api`."""

    def __init__(self, spans: Spans, watch: Watch, settings: OpsSettings, operator_key: str) -> None:
        self._spans, self._watch, self._settings = spans, watch, settings
        self._key = operator_key
        self._templates = Environment(
            loader=PackageLoader("services.ops", "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters.update(clock=_clock, ms=_ms, size=_size, age=_age, json=json.loads)
        self._templates.filters.update(count=_count, indonesian=indonesian, state=_state)

    def routes(self) -> list[Route]:
        doors = {
            "/": self.overview,
            "/traces": self.traces,
            "/traces/{trace_id}": self.trace,
            "/cases": self.find,
            "/cases/{case_id}": self.case,
            "/runbooks/{alert}": self.runbook,
            "/style.css": self.style,
            "/api/traces/{trace_id}": self.jaeger,
            "/api/snapshot": self.snapshot,
        }
        return [Route(path, door, methods=["GET"]) for path, door in doors.items()]

    async def overview(self, _request: Request) -> Response:
        """What is wrong, throughput, doors, durables, who holds what."""
        past, last = list(self._watch.past), self._watch.last
        charts = [
            (name, rates(past, series)) for name, series in (("diterima", ACCEPTED), ("diputus", ROUTED))
        ]
        return self._page(
            "overview.html",
            last=last,
            verdicts=verdicts(last),
            charts=[
                (name, values[-1] if values else 0.0, max(values, default=0.0), spark(values))
                for name, values in charts
            ],
            doors=[
                row for row in red(past, _HTTP, "http_route", r'error_type="[^"]') if row.what not in PROBES
            ],
            handlers=red(
                past, _BUS, "messaging_consumer_group_name", r'outcome="(failed|parked)"', _CONSUMED
            ),
            traces=(await self._spans.newest(everything=False))[:12],
            refresh=5,
        )

    async def traces(self, request: Request) -> Response:
        """`GET /traces?service=&errors=1&slower=0.5&all=1`: the newest hundred."""
        query = request.query_params
        try:
            slower = float(query.get("slower") or 0)
        except ValueError:
            return problem(400, "Not a number", "slower is a number of seconds, for instance 0.5.")
        service = query.get("service", "")
        found = await self._spans.newest(
            service=service,
            errors=query.get("errors") == "1",
            slower=slower,
            everything=query.get("all") == "1",
        )
        return self._page("traces.html", traces=found, query=query, refresh=0)

    async def trace(self, request: Request) -> Response:
        """One trace as a waterfall, with what it is linked to."""
        found = await self._spans.trace(request.path_params["trace_id"])
        if not found:
            return self._missing("Jejak ini tidak ada (lagi). / This trace is not kept (any more).")
        return self._page("trace.html", bars=waterfall(found), refresh=0)

    async def find(self, request: Request) -> Response:
        """`GET /cases?id=…`: leads to the page of a case, by its id or ticket."""
        return RedirectResponse(f"/cases/{quote(request.query_params.get('id', '').strip() or '-', safe='')}")

    async def case(self, request: Request) -> Response:
        """The life of a case: its story as routing tells it, and the traces that are kept of it."""
        asked = request.path_params["case_id"]
        story, words = await self._story(asked)
        found = await self._spans.about(str(story["case_id"]) if story else asked)
        if not story and not found:
            return self._missing(words)
        return self._page("case.html", asked=asked, story=story, words=words, traces=found, refresh=0)

    async def runbook(self, request: Request) -> Response:
        """The runbook of an alert, as it lies in docs/runbooks."""
        name = request.path_params["alert"]
        known = {path.stem: path for path in RUNBOOKS.glob("*.md")}
        if name not in known:
            return self._missing("Tidak ada panduan ini. / There is no such runbook.")
        return self._page("runbook.html", name=name, book=list(blocks(known[name].read_text())), refresh=0)

    async def style(self, _request: Request) -> Response:
        """The one style sheet."""
        loaded = self._templates.get_template("style.css").render()
        return Response(loaded, media_type="text/css", headers={"Cache-Control": "max-age=300"})

    async def jaeger(self, request: Request) -> Response:
        """A trace in Jaeger's JSON, for Grafana's Jaeger source and for tools that read it."""
        found = await self._spans.trace(request.path_params["trace_id"])
        return JSONResponse({"data": [as_jaeger(found)] if found else []}, 200 if found else 404)

    async def snapshot(self, _request: Request) -> Response:
        """What is wrong now, for scripts."""
        last = self._watch.last
        wrong = [verdict.__dict__ for verdict in verdicts(last)]
        return JSONResponse({"at": last.at.isoformat(), "services": dict(last.services), "wrong": wrong})

    async def _story(self, asked: str) -> tuple[Mapping[str, Any] | None, str]:
        url = f"{self._settings.services['routing']}/v1/operator/cases/{quote(asked, safe='')}"
        try:
            async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
                answer = await client.get(url, headers={"Authorization": f"Bearer {self._key}"})
        except httpx.HTTPError as trouble:
            name = type(trouble).__name__
            return None, f"routing tidak menjawab ({name}). / routing does not answer ({name})."
        if answer.status_code == 200:
            return answer.json(), ""
        return None, "Perkara ini tidak ditemukan. / There is no such case."

    def _missing(self, words: str) -> Response:
        return self._page("missing.html", 404, words=words, refresh=0)

    def _page(self, name: str, status: int = 200, /, **given: Any) -> Response:
        text = self._templates.get_template(name).render(**given)
        return HTMLResponse(text, status, headers=_HEADERS)


def _clock(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%d.%m. %H:%M:%S")


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _count(found: object) -> str:
    """A number, or the word for one that is hidden because it would point at a person."""
    return str(found) if isinstance(found, int) else "beberapa"


def _state(code: str) -> str:
    return STATES.get(code, code)


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _age(then: str | None, now: datetime) -> str:
    if not then:
        return "–"
    days = (now - datetime.fromisoformat(then)).total_seconds() / 86_400
    return f"{days:.1f} hari" if days >= 1 else f"{days * 24:.1f} jam"
