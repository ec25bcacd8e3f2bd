"""Webhooks as events: what becomes of an endpoint, what a human must hear of it, and the two messages that are no news.

The key of an endpoint is never in an event; a URL is, so it must carry no secret.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from contracts.codes import Agency
from contracts.decision import Part
from contracts.envelope import Event


class EndpointState(StrEnum):
    """PENDING until the receiver proved to hold it; only ACTIVE ones are sent to, for all others what comes is held."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class EndpointChange(StrEnum):
    """REGISTERED; PROVED: it answered our challenge; MOVED: to another URL, proved; ROTATED: another key;
    DISABLED: it said 410; SUSPENDED: it only failed for days; DELETED.
    """

    REGISTERED = "REGISTERED"
    PROVED = "PROVED"
    MOVED = "MOVED"
    ROTATED = "ROTATED"
    DISABLED = "DISABLED"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class Signing(StrEnum):
    """`v1a`: ed25519, the agency holds a public key only; `v1`: HMAC, both hold the same secret."""

    ED25519 = "v1a"
    HMAC = "v1"


class EndpointKey(Part):
    """The `number`-th key of an endpoint; it signs until `until` (UTC), the current one without end."""

    number: int
    until: datetime | None = None


class EndpointChangedData(Part):
    """An endpoint as its change `number` (from 1) leaves it. `by` is an agency, OPERATOR or NETRAL."""

    endpoint_id: UUID
    number: int
    agency: Agency
    office: str | None
    url: str
    signing: Signing
    keys: tuple[EndpointKey, ...]
    state: EndpointState
    change: EndpointChange
    by: str


class EndpointChanged(Event):
    """An endpoint was registered or changed. The subject of a number is stored once: changes never cross."""

    type: Literal["id.netral.webhook.changed.v1"] = "id.netral.webhook.changed.v1"
    data: EndpointChangedData

    @property
    def nats_subject(self) -> str:
        return f"webhooks.{self.data.endpoint_id}.{self.data.number}"


class AlarmKind(StrEnum):
    """GONE: 410, disabled. REFUSED: the first 4xx, often a lapsed credential. FORBIDDEN: the guard says no.
    PARKED: it fails so much that only probes are sent. HELD: a delivery went through the whole schedule in vain.
    SUSPENDED: five days of only failures.
    """

    GONE = "GONE"
    REFUSED = "REFUSED"
    FORBIDDEN = "FORBIDDEN"
    PARKED = "PARKED"
    HELD = "HELD"
    SUSPENDED = "SUSPENDED"


class WebhookAlarmData(Part):
    """`since` is when the endpoint began to fail (UTC)."""

    alarm_id: UUID
    endpoint_id: UUID
    agency: Agency
    office: str | None
    alarm: AlarmKind
    since: datetime


class WebhookAlarm(Event):
    """A human must hear of it, by another way than this endpoint. Said once for each spell of failures."""

    type: Literal["id.netral.webhook.alarm.v1"] = "id.netral.webhook.alarm.v1"
    data: WebhookAlarmData

    @property
    def nats_subject(self) -> str:
        return f"webhooks.{self.data.endpoint_id}.alarm.{self.data.alarm_id}"


class ChallengeData(Part):
    """Answer 200 with the JSON `{"challenge": "…"}`, after the signature was found good."""

    challenge: str


class WebhookChallenge(Event):
    """Sent to an endpoint before anything else is: whoever holds it reads our messages."""

    type: Literal["id.netral.webhook.challenge.v1"] = "id.netral.webhook.challenge.v1"
    data: ChallengeData


class PingData(Part):
    endpoint_id: UUID


class WebhookPing(Event):
    """A test: it means nothing, and any 2xx is right."""

    type: Literal["id.netral.webhook.ping.v1"] = "id.netral.webhook.ping.v1"
    data: PingData


WEBHOOK_MESSAGES: tuple[type[Event], ...] = (WebhookChallenge, WebhookPing)
