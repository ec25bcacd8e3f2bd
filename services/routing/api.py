"""The agencies' door and the operator's: inbox, dossier, story. What is not yours answers like what does not exist."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts import regions
from contracts.ids import report_id_of
from services.routing.agencies.roles import acknowledged, groups_of
from services.routing.agencies.seeing import seen
from services.routing.bodies import later
from services.routing.core.lifecycle import STATES
from services.routing.dossiers import Dossiers, IntakeAway
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.handed import handed
from services.routing.inbox import page_of_inbox, wanted_of
from services.routing.keys import Holder, Keys
from services.routing.links import LinkQueries
from services.routing.paging import Cursor, read_cursor
from services.routing.projecting import Row
from services.routing.story import story_of, undecided
from services.routing.story_pages import page_of_story
from services.routing.tags import tagged
from services.routing.views import Views
from services.routing.words import Words
from services.runtime.http import problem

Accepted = Callable[[UUID], Awaitable[bytes | None]]
"""Reads the event of an accepted report that may not be decided yet."""


class AgencyDoors:
    """Every door asks for the key first, then for the case; a refusal never tells which of both was wrong."""

    def __init__(
        self, views: Views, keys: Keys, dossiers: Dossiers, accepted: Accepted, words: Words
    ) -> None:
        self._words, self._links = words, LinkQueries(views.engine)
        self._views = views
        self._keys = keys
        self._dossiers = dossiers
        self._accepted = accepted

    def routes(self) -> list[Route]:
        agency = "/v1/agencies/{agency}"
        return [
            Route(f"{agency}/inbox", guarded(self._keys, self.inbox), methods=["GET"]),
            Route(f"{agency}/cases/{{case_id}}", guarded(self._keys, self.dossier), methods=["GET"]),
            Route("/v1/operator/cases/{case_id}", guarded(self._keys, self.story), methods=["GET"]),
        ]

    async def inbox(self, request: Request, holder: Holder) -> Response:
        """`GET /v1/agencies/{agency}/inbox`."""
        try:
            wanted = wanted_of(holder.agency, holder.office, request.query_params)
        except ValueError as fault:
            return problem(400, "Not a query of this door", f"{fault}.")
        rows, more = await page_of_inbox(self._views.engine, wanted)
        return tagged(request, {"cases": await self._cases(holder, rows), "next_cursor": more})

    async def dossier(self, request: Request, holder: Holder) -> Response:
        """`GET /v1/agencies/{agency}/cases/{case_id}`: this agency's parts, and of the report what its role may see."""
        case_id = _uuid(request.path_params["case_id"])
        case = await self._views.case(case_id)
        mine = await self._views.holds(holder.agency, holder.office, case_id)
        if case is None or not mine:
            return nothing_here()
        try:
            found = await self._dossiers.of(case["report_id"])
        except IntakeAway:
            return later("The dossier cannot be opened just now; try again later.")
        (shown,) = await self._cases(holder, [case])
        offers = (await self._views.offers([case_id], holder.agency))[case_id]
        groups = groups_of(holder, shown["persons"], offers)
        number = await self._views.version(case_id)
        steps = await self._views.steps(case_id)
        said = handed(holder, [self._opened(row) for row in steps], [one["ref"] for one in shown["persons"]])
        more = {"step": number, "acknowledged": acknowledged(holder, steps), "said": said}
        document = {**shown, **more, "dossier": found and seen(found, groups)}
        return tagged(request, document, number)

    async def story(self, request: Request, holder: Holder) -> Response:
        """`GET /v1/operator/cases/{id}`; with `cursor` the next part of its reports and e-mails."""
        wanted = request.path_params["case_id"].strip()
        try:
            after = read_cursor(request.query_params.get("cursor"))
        except ValueError:
            return problem(400, "Not a query of this door", "cursor is the next_cursor you were given.")
        case = await self._views.case(wanted)
        if case is None:
            raw = await self._accepted(_report_id(wanted))
            return JSONResponse(undecided(raw), headers=NO_STORE) if raw else nothing_here()
        told = await self._told(case, after)
        root = (await self._links.roots([case["case_id"]])).get(
            case["case_id"]
        )  # no older than the steps told
        asked = {"duplicate_of": _goes_on(root), "through": None}
        if root and wanted.lower() != case["case_id"]:  # a ticket shows the story that goes on
            asked = {"duplicate_of": None, "through": {name: case[name] for name in ("case_id", "ticket")}}
            told = await self._told(await self._views.case(root["root"]) or case, after)
        return JSONResponse({**told, **asked}, headers=NO_STORE)

    async def _told(self, case: Row, after: Cursor | None) -> Row:
        case_id = case["case_id"]
        steps = [
            self._opened(row) for row in await self._views.steps(case_id)
        ]  # first: what is now is no older
        return story_of(
            case,
            (await self._views.offers([case_id]))[case_id],
            await page_of_story(self._views.engine, case_id, after),
            (await self._views.matters([case_id]))[case_id],
            steps,
            await self._links.duplicates(case_id),
            first=after is None,
        )

    async def _cases(self, holder: Holder, rows: list[Row]) -> list[Row]:
        ids = [row["case_id"] for row in rows]
        matters, counts = await self._views.matters(ids), await self._views.report_counts(ids)
        roots = await self._links.roots(ids)
        return [
            {**_case(holder, row, matters[key], counts[key]), "duplicate_of": _goes_on(roots.get(key))}
            for row, key in zip(rows, ids, strict=True)
        ]

    def _opened(self, row: Row) -> Row:
        """A step with what was written about it."""
        data = json.loads(row["event"])["data"]
        words = self._words.open(UUID(data["case_id"]), data["number"], data["sealed"])
        return {**data, "at": row["at"], "words": words}


def _goes_on(root: Row | None) -> Row | None:
    """The case of which another is a duplicate."""
    return root and {"case_id": root["root"], "ticket": root["ticket"]}


def _case(holder: Holder, case: Row, matters: list[Row], reports: int) -> Row:
    persons = [_person(row, holder) for row in matters]
    first = matters[0]
    return {
        "case_id": case["case_id"],
        "ticket": first["ticket"],
        "region": first["region"],
        "region_name": regions.name_of(first["region"]),
        "opened_at": case["opened_at"].isoformat(),
        "reports": reports,
        "persons": [person for person in persons if any(part["active"] for part in person["assignments"])],
        "links": {"self": f"/v1/agencies/{holder.agency}/cases/{case['case_id']}"},
    }


def _report_id(text: str) -> UUID:
    """The report a ticket or an id means."""
    try:
        return UUID(text)
    except ValueError:
        return report_id_of(text)


def _person(row: Row, holder: Holder) -> Row:
    """One person as this body may see it: its own parts and time limits, and the state of the matter."""
    matter, state = json.loads(row["matter"]), STATES[row["state"]]
    mine = [
        p for p in matter["parts"] if p["agency"] == holder.agency and holder.office in (None, p["office"])
    ]
    dues = [
        d for d in matter["dues"] if d["agency"] == holder.agency and holder.office in (None, d["office"])
    ]
    return {
        "ref": matter["ref"],
        "stage": matter["stage"],
        "class": matter["class"],
        "state": row["state"],
        "label": {"id": state.id, "en": state.en},
        "assignments": mine,
        "dues": dues,
    }


def _uuid(text: str) -> str:
    """The canonical spelling of an id; what is none is an id nobody has, so that both take the same way."""
    try:
        return str(UUID(text))
    except ValueError:
        return "-"
