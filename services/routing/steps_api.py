"""The doors by which agencies and the operator go on with a case: progress, and moves between bodies."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts import regions
from contracts.door import read_json
from contracts.events import CaseStepped
from contracts.facts import post_of
from contracts.faults import InvalidDocument, faults_of
from contracts.progress import Progress
from contracts.steps import OPERATOR, Move, Said
from services.routing.casebook import Casebook, Impossible
from services.routing.casefiles import NoSuchCase
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.keys import Holder, Keys
from services.routing.showing import shown_now
from services.routing.tags import step_in
from services.routing.views import Views
from services.runtime.bus import BrokerAway
from services.runtime.clock import Clock
from services.runtime.http import TooLarge, TooSlow, body_within, problem

MAX_BYTES = 20_000


class StepDoors:
    """`casebook` gives the casebook, None while the broker is not connected yet."""

    def __init__(
        self, keys: Keys, views: Views, casebook: Callable[[], Casebook | None], clock: Clock
    ) -> None:
        self._keys, self._views, self._casebook, self._clock = keys, views, casebook, clock

    def routes(self) -> list[Route]:
        return [
            Route(f"{root}/cases/{{case_id}}/{name}", guarded(self._keys, door), methods=["POST"])
            for root in ("/v1/agencies/{agency}", "/v1/operator")
            for name, door in (("progress", self.progress), ("moves", self.move))
        ]

    async def progress(self, request: Request, holder: Holder) -> Response:
        """`POST …/cases/{case_id}/progress` with one progress event (contract.md, part 1)."""
        return await self._step(request, holder, Progress)

    async def move(self, request: Request, holder: Holder) -> Response:
        """`POST …/cases/{case_id}/moves`: what one body hands to another (`contracts.steps.Move`)."""
        return await self._step(request, holder, Move)

    async def _step(self, request: Request, holder: Holder, kind: type[BaseModel]) -> Response:
        case = await self._views.case(request.path_params["case_id"].strip().lower())
        # Asked also of a case that does not exist, so that both refusals cost the same.
        held = await self._holds(holder, case["case_id"] if case else "-")
        if case is None or not held:
            return nothing_here()
        try:
            said, words = self._said(await read_body(request, kind), case["region"])
            casebook, case_id = self._casebook(), UUID(case["case_id"])
            if casebook is None:
                return _away()
            return _answer(
                await casebook.say(case_id, said, holder.agency, holder.office, words, _expected(request))
            )
        except (
            InvalidDocument,
            TooLarge,
            TooSlow,
            ValueError,
            Impossible,
            NoSuchCase,
            BrokerAway,
        ) as trouble:
            return refusal(trouble)

    async def _holds(self, holder: Holder, case_id: str) -> bool:
        """Whoever was ever given a part may speak: a step sent again must find itself after that part has ended."""
        if holder.agency == OPERATOR or await self._views.holds(holder.agency, holder.office, case_id):
            return True
        offers = (await self._views.offers([case_id], holder.agency))[case_id]
        offices = {
            part["office"] for row in offers for part in json.loads(row["event"])["data"]["assignments"]
        }
        return bool(offers) and (holder.office is None or holder.office in offices)

    def _said(self, body: Any, region: str) -> tuple[Said, dict[str, str]]:
        """What may stand in the log, and the words and numbers that are sealed."""
        if isinstance(body, Move):
            today = self._clock().astimezone(regions.zone_of(region)).date()
            said = Said(
                event=body.move, person=body.person, on=today, to=body.to, office=body.office, step=body.step
            )
            return said, _words(reason=body.reason, article=body.article)
        employer = body.employer
        said = Said(
            event=body.event,
            result=body.result,
            person=body.person,
            on=body.on,
            status=body.status,
            post=post_of(body.post) if body.post else None,
            post_kind=body.post_kind,
            employer=employer.kind if employer else None,
            employer_region=employer.region if employer else None,
            numbered=body.nip is not None,
        )
        return said, _words(
            reason=body.reason, nip=body.nip, post=body.post, employer=employer.name if employer else None
        )


async def read_body(request: Request, kind: type[BaseModel]) -> BaseModel:
    """The body as `kind`. Raises InvalidDocument, TooLarge and TooSlow."""
    raw = read_json(await body_within(request, MAX_BYTES))
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidDocument(faults_of(error, kind, raw)) from None


def refusal(trouble: Exception) -> Response:
    """What a step that was not taken answers, with its cause and cure."""
    match trouble:
        case InvalidDocument():
            faults = [fault.plain for fault in trouble.faults]
            return problem(422, "Not a step", "Mend every fault.", faults=faults)
        case Impossible():
            now = [shown_now(matter) for matter in trouble.matters]
            return problem(409, "Impossible now", trouble.reason, step=trouble.number, persons=now)
        case TooLarge():
            return problem(413, "Too large", f"A step is at most {MAX_BYTES} bytes.")
        case TooSlow():
            return problem(408, "Too slow", "The body did not arrive in time; send it again.")
        case NoSuchCase():
            return nothing_here()
        case BrokerAway():
            return _away()
    return problem(400, "Not a step number", "If-Match is the number of the step you saw last.")


def _words(**given: str | None) -> dict[str, str]:
    return {name: text for name, text in given.items() if text}


def _expected(request: Request) -> int | None:
    """Raises ValueError."""
    return step_in(request.headers.get("if-match"))


def _answer(event: CaseStepped) -> Response:
    data = event.data
    document = {
        "case_id": str(data.case_id),
        "ticket": data.ticket,
        "step": data.number,
        "at": event.time.isoformat(),
        "persons": [shown_now(matter) for matter in data.persons],
    }
    return JSONResponse(document, headers={**NO_STORE, "ETag": f'"{data.number}"'})


def _away() -> Response:
    away = problem(503, "Not available", "The broker does not answer; send the same step again later.")
    away.headers["Retry-After"] = "5"
    return away
