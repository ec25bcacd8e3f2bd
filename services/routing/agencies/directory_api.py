"""The operator's door to the directory: which offices there are, loading a list, ending an office."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.codes import Agency
from contracts.directory import WHOLE, Directory, Entries, Place, Term, level_of, retired
from contracts.faults import Fault, InvalidDocument
from contracts.report import ONE_LINE, Day
from contracts.report import Part as Strict
from services.routing.agencies.book import Book, Overtaken
from services.routing.agencies.changing import Change, changes
from services.routing.agencies.csv_cells import BrokenFile
from services.routing.agencies.csv_file import OFFICE_CURE, read_directory
from services.routing.agencies.keyring import Scope
from services.routing.bodies import REFUSALS, read_as, refused
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.keys import Holder, Keys
from services.runtime.bus import BrokerAway, Bus
from services.runtime.http import TooLarge, problem

MAX_BYTES = 2_000_000
ROOT = "/v1/operator/agencies"


class DirectoryFile(Strict):
    """The text of a CSV file (docs/agencies.md); with `dry_run` it is only said what would change."""

    csv: Annotated[str, Field(strict=True, min_length=1, max_length=MAX_BYTES)]
    dry_run: bool = False


class Retirement(Strict):
    """The last day of an office, and who takes over: an agency (`BKN`) or an office of one (`BKN/pusat`)."""

    last_day: Day
    successor: Annotated[str, Field(strict=True, max_length=40), ONE_LINE] | None = None


class DirectoryDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, keys: Keys, book: Book, bus: Callable[[], Bus | None]) -> None:
        self._keys, self._book, self._bus = keys, book, bus

    def routes(self) -> list[Route]:
        office = f"{ROOT}/{{body}}/offices/{{office}}"
        return [
            Route(ROOT, guarded(self._keys, self.show), methods=["GET"]),
            Route(ROOT, guarded(self._keys, self.load, Scope.MANAGE), methods=["PUT"]),
            Route(office, guarded(self._keys, self.one), methods=["GET"]),
            Route(f"{office}/retirement", guarded(self._keys, self.retire, Scope.MANAGE), methods=["POST"]),
        ]

    async def show(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/agencies?agency=…&on=…`: every office, or those of one body, or those of one day."""
        query = request.query_params
        try:
            agency = Agency(query["agency"]) if "agency" in query else None
            day = date.fromisoformat(query["on"]) if "on" in query else None
        except ValueError:
            detail = f"agency is one of {', '.join(Agency)}, on a day written as YYYY-MM-DD."
            return problem(400, "Not a query of this door", detail)
        found = [
            shown(place, self._book.directory.versions[place], terms)
            for place, terms in sorted(self._book.directory.entries.items())
            if agency in (None, place.agency) and (day is None or any(term.on(day) for term in terms))
        ]
        return JSONResponse({"offices": found}, headers=NO_STORE)

    async def one(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/agencies/{body}/offices/{office}`."""
        place = self._place(request)
        return self._shown(place) if place else nothing_here()

    async def load(self, request: Request, _holder: Holder) -> Response:
        """`PUT /v1/operator/agencies` with `{"csv": "…"}`; offices the file does not name stay as they are."""
        try:
            body = await read_as(request, DirectoryFile, MAX_BYTES)
            wanted = read_directory(body.csv.encode())
            if body.dry_run:
                return _changes(changes(self._book.directory, wanted), dry_run=True)
            return _changes(await self._told(lambda _: wanted), dry_run=False)
        except BrokenFile as broken:
            return problem(422, "Not a directory", "Mend every fault.", faults=list(broken.faults[:1000]))
        except Overtaken:
            return overtaken()
        except TooLarge:
            cure = "load it in parts: offices that a file does not name stay as they are."
            return problem(413, "Too large", f"A list is at most {MAX_BYTES} bytes here; {cure}")
        except REFUSALS as trouble:
            return refused(trouble)

    async def retire(self, request: Request, _holder: Holder) -> Response:
        """`POST …/retirement`: the office ends after a day; its history stays."""
        place = self._place(request)
        if place is None:
            return nothing_here()
        try:
            body = await read_as(request, Retirement, 2_000)
            _check_successor(body.successor)
            if not (changed := partial(_retired, place, body))(self._book.directory):
                return problem(409, "Impossible now", "The office begins after that day; name a later one.")
            await self._told(changed)
            return self._shown(place)
        except Overtaken:
            return overtaken()
        except REFUSALS as trouble:
            return refused(trouble)

    async def _told(self, wanted_of: Callable[[Directory], Entries]) -> list[Change]:
        bus = self._bus()
        if bus is None:
            raise BrokerAway(ambiguous=False)
        return await self._book.change(bus, wanted_of)

    def _place(self, request: Request) -> Place | None:
        body, office = request.path_params["body"], request.path_params["office"]
        place = Place(Agency(body), office) if body in list(Agency) else None
        return place if place in self._book.directory.entries else None

    def _shown(self, place: Place) -> Response:
        directory = self._book.directory
        return JSONResponse(
            shown(place, directory.versions[place], directory.entries[place]), headers=NO_STORE
        )


def shown(place: Place, version: int, terms: tuple[Term, ...]) -> dict[str, Any]:
    """An office as the operator sees it."""
    return {
        "agency": place.agency,
        "office": place.office,
        "version": version,
        "terms": [term.model_dump(mode="json") for term in terms],
    }


def _retired(place: Place, wish: Retirement, directory: Directory) -> Entries:
    """The office as it stands in the directory, with its end; nothing where it begins later."""
    terms = retired(directory.entries[place], wish.last_day, wish.successor)
    return {place: terms} if terms else {}


def _changes(found: list[Change], *, dry_run: bool) -> Response:
    told = [
        {
            "agency": change.place.agency,
            "office": change.place.office,
            "what": change.what,
            "fields": list(change.fields),
        }
        for change in found
    ]
    return JSONResponse({"dry_run": dry_run, "changes": told}, headers=NO_STORE)


def _check_successor(text: str | None) -> None:
    """Raises InvalidDocument."""
    if text is None:
        return
    agency, _, office = text.partition("/")
    try:
        known = agency in list(Agency)
        level_of(office or WHOLE)
    except KeyError:
        known = False
    if not known:
        says = f"is no body; write an agency, or an agency, / and an office ({OFFICE_CURE})"
        raise InvalidDocument([Fault(("successor",), says)])


def overtaken() -> Response:
    return problem(409, "Overtaken", "Somebody changed it at this moment; look at it first.")
