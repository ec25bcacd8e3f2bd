"""Speaks to an endpoint outside the queue: the challenge that proves who holds it, and a test."""

import hmac
import json
from collections.abc import Mapping

from contracts.envelope import Event, event_id
from contracts.receiver.signing import signed
from contracts.webhooks import ChallengeData, EndpointChangedData, PingData, WebhookChallenge, WebhookPing
from services.routing.core.deliveries import Outcome, Verdict
from services.routing.delivery.endpoints import SOURCE
from services.routing.delivery.poster import Answered, Poster
from services.routing.delivery.sender import MESSAGE
from services.routing.delivery.signing_keys import EndpointKeys
from services.runtime.clock import Clock


class Prover:
    """Nothing here counts for the breaker or the schedule."""

    def __init__(self, poster: Poster, keys: EndpointKeys, clock: Clock) -> None:
        self._poster, self._keys, self._clock = poster, keys, clock

    async def failure(self, endpoint: EndpointChangedData, url: str) -> str | None:
        """Why `url` did not prove that its holder reads our messages; None if it did. What it answered is not told."""
        challenge = self._keys.challenge(endpoint, url)
        event = WebhookChallenge(
            id=event_id(endpoint.endpoint_id, "challenge", str(endpoint.number), url),
            source=SOURCE,
            subject=str(endpoint.endpoint_id),
            time=self._clock(),
            data=ChallengeData(challenge=challenge),
        )
        answered = await self._post(endpoint, url, event)
        if answered.outcome.verdict is not Verdict.DELIVERED:
            return f"the challenge was answered with {answered.outcome.code}; it needs 200 and the challenge"
        if not hmac.compare_digest(_said(answered.body), challenge):
            return 'the answer does not hold {"challenge": "…"} as it was sent'
        return None

    async def ping(self, endpoint: EndpointChangedData) -> Outcome:
        """One test message, now."""
        now = self._clock()
        event = WebhookPing(
            id=event_id(endpoint.endpoint_id, "ping", now.isoformat()),
            source=SOURCE,
            subject=str(endpoint.endpoint_id),
            time=now,
            data=PingData(endpoint_id=endpoint.endpoint_id),
        )
        return (await self._post(endpoint, endpoint.url, event)).outcome

    async def _post(self, endpoint: EndpointChangedData, url: str, event: Event) -> Answered:
        now, body = self._clock(), event.model_dump_json(by_alias=True).encode()
        headers = signed(self._keys.valid(endpoint, now), str(event.id), now, body)
        return await self._poster.post(endpoint.agency, url, {**MESSAGE, **headers}, body)


def _said(body: bytes) -> str:
    """What an answer holds as `challenge`, as ASCII that can be compared."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    said = found.get("challenge") if isinstance(found, Mapping) else None
    return said if isinstance(said, str) and said.isascii() else ""
