"""The operator's door to the law: which rulebook is in force, and making another one the law."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.door import read_json
from contracts.events import RulebookLoaded
from contracts.faults import Fault, InvalidDocument
from services.routing.agencies.keyring import Scope
from services.routing.guarding import NO_STORE, guarded
from services.routing.in_force import Overtaken
from services.routing.keys import Holder, Keys
from services.routing.law import Law
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.bus import BrokerAway, Bus
from services.runtime.http import TooLarge, TooSlow, body_within, problem

PATH = "/v1/operator/rulebook"
MAX_BYTES = 700_000
"""Of a whole rulebook; the event that carries it must fit into one message of the broker (1 MB)."""


class LawDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, law: Law, keys: Keys, bus: Callable[[], Bus | None]) -> None:
        self._law, self._keys, self._bus = law, keys, bus

    def routes(self) -> list[Route]:
        return [
            Route(PATH, guarded(self._keys, self.show), methods=["GET"]),
            Route(PATH, guarded(self._keys, self.load, Scope.MANAGE), methods=["PUT"]),
        ]

    async def show(self, _request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/rulebook`: what is the law now, and since when."""
        event = self._law.current
        return JSONResponse(_shown(event), headers=NO_STORE) if event else _away()

    async def load(self, request: Request, _holder: Holder) -> Response:
        """`PUT /v1/operator/rulebook` with `{"files": {"book.yaml": "…", …}}`; loading what is in force changes nothing."""
        bus = self._bus()
        if bus is None:
            return _away()
        try:
            files = _files(await body_within(request, MAX_BYTES))
            event = await self._law.load(bus, files)
        except (BrokenRulebook, InvalidDocument) as broken:
            faults = [str(fault) for fault in broken.faults]
            return problem(422, "Not a rulebook to decide by", "Mend every fault.", faults=faults)
        except Overtaken:
            return problem(409, "Overtaken", "Another rulebook was loaded at this moment; look at it first.")
        except TooLarge as large:
            return problem(413, "Too large", f"A rulebook is at most {large.limit} bytes.")
        except TooSlow:
            return problem(408, "Too slow", "The body did not arrive in time; send it again.")
        except BrokerAway:
            return _away()
        return JSONResponse(_shown(event), headers=NO_STORE)


def _files(body: bytes) -> dict[str, bytes]:
    """The files by name. Raises InvalidDocument naming what is not a file of a rulebook."""
    document = read_json(body)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict):
        raise InvalidDocument([Fault(("files",), 'is missing; send {"files": {"book.yaml": "text", …}}')])
    faults = [
        Fault(
            ("files", name), "is not a file of a rulebook; give each a name that ends in .yaml and its text"
        )
        for name, text in files.items()
        if not name.endswith(".yaml") or not _is_text(text)
    ]
    if faults:
        raise InvalidDocument(faults)
    return {name: text.encode() for name, text in files.items()}


def _is_text(value: object) -> bool:
    """JSON can spell half a character; a file cannot."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _shown(event: RulebookLoaded) -> dict[str, object]:
    data = event.data
    previous = data.previous.model_dump() if data.previous else None
    return {
        "number": data.number,
        "rulebook": data.rulebook.model_dump(),
        "previous": previous,
        "loaded_at": event.time.isoformat(),
    }


def _away() -> Response:
    refusal = problem(503, "Not available", "The broker does not answer; try again later.")
    refusal.headers["Retry-After"] = "5"
    return refusal
