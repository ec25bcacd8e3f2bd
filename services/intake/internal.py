"""The inner HTTP door: what the other services may read, with the service token only."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.intake.doors import with_headers
from services.intake.sealing import CannotOpen, Part, Sealer
from services.intake.vault import Vault
from services.intake.vault_writer import VaultAway
from services.runtime.http import bearer, problem, same
from services.runtime.logs import log


class InternalDoors:
    """The routes under `/internal`; each opens one part and nothing else."""

    def __init__(self, vault: Vault, sealer: Sealer, service_token: str) -> None:
        self._vault = vault
        self._sealer = sealer
        self._token = service_token

    def routes(self) -> list[Route]:
        """The routes; every one asks for the token before it looks at anything."""
        return [
            Route("/internal/v1/reports/{report_id}/dossier", self.dossier, methods=["GET"]),
            Route("/internal/v1/reports/{report_id}/reply-address", self.reply_address, methods=["GET"]),
        ]

    async def dossier(self, request: Request) -> Response:
        """The report without the reporter's identity, and which `ref` each p1, p2, … was."""
        return await self._opened(request, "dossier", lambda part: part)

    async def reply_address(self, request: Request) -> Response:
        """The reporter's e-mail address alone, or null."""
        return await self._opened(request, "reporter", lambda part: {"email": part.get("email")})

    async def _opened(self, request: Request, part: Part, shown: Any) -> Response:
        if not same(bearer(request) or "", self._token):
            unknown = problem(401, "Who are you?", "Send the service token as Authorization: Bearer …")
            return with_headers(unknown, {"WWW-Authenticate": "Bearer"})
        report_id = _uuid(request.path_params["report_id"])
        try:
            sealed = await self._vault.sealed(report_id, part) if report_id else None
            content = self._sealer.open(report_id, part, sealed) if report_id and sealed else None
        except VaultAway:
            return _away()
        except CannotOpen:
            log("vault.cannot_open", level="ERROR", report_id=str(report_id), part=part)
            if not await self._vault.works():  # its key was exchanged: nothing was erased
                return _away()
            content = None
        if content is None:
            return problem(
                404, "Not here", f"There is no {part} of this report; it is unknown or was erased."
            )
        return JSONResponse(shown(content), headers={"Cache-Control": "no-store"})


def _away() -> Response:
    return with_headers(problem(503, "Not available", "The vault does not answer."), {"Retry-After": "5"})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
