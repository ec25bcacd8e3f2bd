"""Fetches the personal part of a case from intake, for an agency that may see it."""

from typing import Any

import httpx

from services.runtime.settings import Settings
from services.runtime.telemetry import trace_headers


class IntakeAway(Exception):
    """Intake did not answer; the dossier can be fetched later."""


class Dossiers:
    """Intake's inner door. `client` is the seam for tests."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def of(self, report_id: str) -> dict[str, Any] | None:
        """The report without its reporter, and which `ref` each p1, p2, … was; None if erased. Raises IntakeAway."""
        path = f"/internal/v1/reports/{report_id}/dossier"
        try:
            answer = await self._client.get(path, headers={**self._headers, **trace_headers()})
        except httpx.HTTPError:
            raise IntakeAway from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise IntakeAway
        return dict(answer.json())

    async def close(self) -> None:
        await self._client.aclose()


def open_dossiers(address: str, settings: Settings) -> Dossiers:
    """The dossiers behind intake's address. Raises BadSettings without the service token."""
    return Dossiers(httpx.AsyncClient(base_url=address, timeout=5), settings.secret("service-token"))
