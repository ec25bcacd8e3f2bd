"""The operator's door to near matches: what waits since when and why, both reports side by side, and the answer."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts import regions
from contracts.faults import InvalidDocument
from contracts.matches import SENTENCES, MatchAnswer, Reason
from services.routing.casebook import Impossible
from services.routing.casefiles import NoSuchCase
from services.routing.dossiers import Dossiers, IntakeAway, concerning
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.keys import Holder, Keys
from services.routing.linking import Linking
from services.routing.match_queries import MatchQueries, Row
from services.routing.paging import read_cursor, write_cursor
from services.routing.steps_api import read_body, refusal
from services.runtime.bus import BrokerAway
from services.runtime.clock import Clock
from services.runtime.http import TooLarge, TooSlow, problem
from services.runtime.logs import log

MOST = 200


class MatchDoors:
    """`linking` gives who answers, None while the broker is not connected yet."""

    def __init__(
        self,
        keys: Keys,
        queries: MatchQueries,
        linking: Callable[[], Linking | None],
        dossiers: Dossiers,
        clock: Clock,
    ) -> None:
        self._keys, self._queries, self._linking = keys, queries, linking
        self._dossiers, self._clock = dossiers, clock

    def routes(self) -> list[Route]:
        one = "/v1/operator/matches/{match_id}"
        return [
            Route("/v1/operator/matches", guarded(self._keys, self.waiting), methods=["GET"]),
            Route(one, guarded(self._keys, self.both), methods=["GET"]),
            Route(one, guarded(self._keys, self.answer), methods=["POST"]),
        ]

    async def waiting(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/matches`: pairs nobody answered, the oldest first."""
        try:
            limit = int(request.query_params.get("limit", "50"))
            after = read_cursor(request.query_params.get("cursor"))
            if not 1 <= limit <= MOST:
                raise ValueError
        except ValueError:
            detail = f"limit is a number from 1 to {MOST}, cursor the one you were given."
            return problem(400, "Not a query of this door", detail)
        rows = await self._queries.waiting(after, limit + 1)
        more = write_cursor(rows[limit - 1]["at"], rows[limit - 1]["match_id"]) if len(rows) > limit else None
        count, oldest = await self._queries.waiting_since()
        document = {
            "waiting": count,
            "oldest_since": oldest and oldest.isoformat(),
            "matches": await self._shown(rows[:limit]),
            "next_cursor": more,
        }
        return JSONResponse(document, headers=NO_STORE)

    async def both(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/matches/{match_id}`: the pair with both reports, without their reporters."""
        row = await self._queries.match(request.path_params["match_id"].strip().lower())
        if row is None:
            return nothing_here()
        try:
            reports = [await self._report(row, side) for side in ("", "other_")]
        except IntakeAway:
            return _later("The reports cannot be opened just now; try again later.")
        log("match.opened", match=row["match_id"])
        answered = await self._queries.answer(row["match_id"])
        shown = (await self._shown([row]))[0]
        document = {**shown, "answer": answered and answered["answer"], "reports": reports}
        return JSONResponse(document, headers=NO_STORE)

    async def answer(self, request: Request, _holder: Holder) -> Response:
        """`POST /v1/operator/matches/{match_id}` with `SAME` or `DIFFERENT` and the reason."""
        row = await self._queries.match(request.path_params["match_id"].strip().lower())
        if row is None:
            return nothing_here()
        try:
            body = await read_body(request, MatchAnswer)
            linking = self._linking()
            if linking is None or not isinstance(body, MatchAnswer):
                raise BrokerAway(ambiguous=False)
            done = await linking.answer(row, body.answer, body.reason)
        except (InvalidDocument, TooLarge, TooSlow, Impossible, NoSuchCase, BrokerAway) as trouble:
            return refusal(trouble)
        document = {
            "match_id": row["match_id"],
            "answer": done.answer,
            "linked": done.linked and str(done.linked),
            "to": done.to and str(done.to),
            "step": done.step,
        }
        return JSONResponse(document, headers=NO_STORE)

    async def _report(self, row: Row, side: str) -> Row:
        """One report of a pair as it was sent; null once it was erased."""
        found = await self._dossiers.of(row[f"{side}report_id" if not side else "other_report"])
        report = found and concerning(found, found["refs"].keys())
        return {"ticket": row[f"{side}ticket"], "report": report}

    async def _shown(self, rows: list[Row]) -> list[Row]:
        ids = {row[name] for row in rows for name in ("root", "other_root")}
        known = await self._queries.case_rows(sorted(ids))
        return [_match(row, known, self._clock()) for row in rows]


def _match(row: Row, known: dict[str, Row], now: datetime) -> Row:
    """`duplicate` is the case that SAME would link to the one that `goes_on`."""
    sides = [known[row[name]] for name in ("root", "other_root") if row[name] in known]
    sides.sort(key=lambda case: (case["persons"], -case["opened_at"].timestamp(), case["case_id"]))
    shown = [_case(side) for side in sides]
    return {
        "match_id": row["match_id"],
        "at": row["at"].isoformat(),
        "waiting_hours": int((now - row["at"]).total_seconds() // 3600),
        "score": row["score"],
        "reasons": [_reason(Reason(code)) for code in json.loads(row["reasons"])],
        "tickets": [row["ticket"], row["other_ticket"]],
        "duplicate": shown[0] if shown else None,
        "goes_on": shown[-1] if shown else None,
    }


def _reason(code: Reason) -> dict[str, str]:
    indonesian, english = SENTENCES[code]
    return {"code": code, "id": indonesian, "en": english}


def _case(row: Row) -> dict[str, Any]:
    named = {"region_name": regions.name_of(row["region"]), "opened_at": row["opened_at"].isoformat()}
    return {**{name: row[name] for name in ("case_id", "ticket", "region", "persons")}, **named}


def _later(detail: str) -> Response:
    refused = problem(503, "Not available", detail)
    refused.headers["Retry-After"] = "5"
    return refused
