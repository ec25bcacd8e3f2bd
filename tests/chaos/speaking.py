"""Agencies that go on with cases through the storm: Bawaslu finds a breach, BKN recommends; the rest is for the limits."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from tests.chaos.acts import TROUBLE
from tests.conftest import Broker

WAYS = (("BAWASLU", "STUDY_CONCLUDED", "BREACH"), ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"))
PATIENCE = 45.0
"""Seconds of asking for one step; what is refused for good is not asked again."""


@dataclass
class Speakers:
    """`said` counts the steps that were taken."""

    url: str
    keys: dict[str, str]
    said: int = 0

    @classmethod
    def of(cls, broker: Broker, url: str) -> "Speakers":
        return cls(url, json.loads(broker.settings.secret("agency-keys.json")))

    async def go_on(self, ticket: str) -> None:
        """Say each step of a case, in its order, until it is taken or refused for good."""
        async with httpx.AsyncClient(timeout=5) as http:
            case_id = await self._asked(http, "GET", "OPERATOR", f"operator/cases/{ticket}", None)
            for agency, event, result in WAYS:
                if case_id is None:
                    return
                on = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
                said = {"event": event, "result": result, "on": on}
                path = f"agencies/{agency}/cases/{case_id}/progress"
                taken = await self._asked(http, "POST", agency, path, said)
                self.said += taken is not None

    async def _asked(
        self, http: httpx.AsyncClient, method: str, who: str, path: str, body: dict[str, str] | None
    ) -> str | None:
        """The id of the case; None where it is refused, or nobody answered for too long."""
        headers, asked = {"Authorization": f"Bearer {self.keys[who]}"}, asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() - asked < PATIENCE:
            try:
                answer = await http.request(method, f"{self.url}/v1/{path}", json=body, headers=headers)
            except TROUBLE:
                answer = httpx.Response(503)
            if answer.status_code == 200 and (case_id := answer.json().get("case_id")):
                return str(case_id)
            if answer.status_code in (400, 403, 409, 422):
                return None
            await asyncio.sleep(0.5)  # away, or the case is not in the agency's inbox yet
        return None
