"""An intake door in a thread that can be told to misbehave, over real HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Door:
    """`answers` are status codes given first, in order; then every report is accepted, once for each key.

    A report whose narrative is `refuse` gets 422, with two faults.
    """

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    accepted: dict[str, bytes] = field(default_factory=dict)
    requests: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def submit(self, request: Request) -> Response:
        self.requests += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._answer(request.headers["idempotency-key"], await request.body())
        finally:
            self.at_once -= 1

    async def status(self, request: Request) -> Response:
        ticket, receipt = request.path_params["ticket"], request.headers.get("netral-receipt")
        if receipt != ticket.replace("NTR", "SECRET"):
            return JSONResponse({"detail": "No report opens with this ticket and this receipt."}, 404)
        following = {"id": "Sedang diteruskan.", "en": "Being passed on."}
        received = "2026-11-24T10:00:00+08:00"
        answer = {"ticket": ticket, "state": "RECEIVED", "state_label": "Diterima", "received_at": received}
        progress = [{"id": "Kajian selesai.", "en": "The study is finished."}]
        return JSONResponse({**answer, "progress": progress, "next": following})

    def _answer(self, key: str, body: bytes) -> Response:
        if self.answers:
            status, headers = self.answers.pop(0)
            return JSONResponse({"detail": "not now"}, status, headers)
        if b'"narrative":"refuse"' in body:
            errors = [
                {"pointer": f"/persons/{n}/status", "detail": "is not a status; see \x1b[31m"} for n in (0, 1)
            ]
            return JSONResponse({"detail": "2 fields", "errors": errors}, 422)
        if self.accepted.setdefault(key, body) != body:
            return JSONResponse({"detail": "other body"}, 409)
        number = list(self.accepted).index(key)
        return JSONResponse({"ticket": f"NTR-{number}", "receipt": f"SECRET-{number}"}, 202)


@contextmanager
def open_door() -> Iterator[Door]:
    """A door on a free port of this machine."""
    door = Door()
    submit = Route("/v1/reports", door.submit, methods=["POST"])
    app = Starlette(routes=[submit, Route("/v1/reports/{ticket}", door.status)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    door.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield door
    finally:
        server.should_exit = True
        thread.join()
