"""Fetches the personal part of a case from intake, and shows of it what concerns the persons of one agency."""

from collections.abc import Collection
from typing import Any

import httpx

from services.runtime.settings import Settings
from services.runtime.telemetry import trace_headers

TIMEOUT = 5.0
"""Seconds for the whole answer of intake."""


class IntakeAway(Exception):
    """Intake did not answer, or not as agreed; the dossier can be fetched later."""


class Dossiers:
    """Intake's inner door; the reporter's identity never comes through it. `client` is the seam for tests."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def of(self, report_id: str) -> dict[str, Any] | None:
        """The report and which `ref` each p1, p2, … was; None if erased. Raises IntakeAway."""
        path = f"/internal/v1/reports/{report_id}/dossier"
        try:
            answer = await self._client.get(path, headers={**self._headers, **trace_headers()})
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
            dossier = answer.json()
        except (httpx.HTTPError, ValueError):
            raise IntakeAway from None
        if not isinstance(dossier, dict) or not {"report", "refs"} <= dossier.keys():
            raise IntakeAway
        return dossier

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def open_dossiers(address: str, settings: Settings) -> Dossiers:
    """The dossiers behind intake's address, never through a proxy. Raises BadSettings without the service token."""
    client = httpx.AsyncClient(base_url=address, timeout=TIMEOUT, trust_env=False)
    return Dossiers(client, settings.secret("service-token"))


def concerning(dossier: dict[str, Any], persons: Collection[str]) -> dict[str, Any]:
    """The report with only these persons (`p1`, …), under those names, and their acts; never the reporter's words
    about himself. What the narrative says of others stays.
    """
    refs = {theirs: ours for ours, theirs in dossier["refs"].items() if ours in persons}
    report = dict(dossier["report"])
    report["persons"] = [{**p, "ref": refs[p["ref"]]} for p in report["persons"] if p["ref"] in refs]
    report["acts"] = [{**a, "person": refs[a["person"]]} for a in report["acts"] if a["person"] in refs]
    report["reporter"] = {"kind": report["reporter"]["kind"]}
    return report
