"""What the doors of webhooks answer, for the API document: endpoints, deliveries, attempts."""

from pydantic import BaseModel, ConfigDict

from contracts.codes import Agency
from contracts.webhooks import AlarmKind, EndpointKey, EndpointState, Signing
from services.routing.core.deliveries import State, Verdict


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class EndpointAnswer(Model):
    """`attention` is what a human must see to; `next_probe_at`: it fails so much that only probes go there (UTC)."""

    endpoint_id: str
    number: int
    agency: Agency
    office: str | None
    url: str
    signing: Signing
    keys: list[EndpointKey]
    state: EndpointState
    pending: int
    held: int
    failing_since: str | None
    next_probe_at: str | None
    attention: list[AlarmKind]


class EndpointWithKey(EndpointAnswer):
    """`key` is shown here and never again: `whpk_…` to check signatures, or the shared `whsec_…`."""

    key: str


class EndpointsAnswer(Model):
    endpoints: list[EndpointAnswer]


class PingAnswer(Model):
    """`answer` is the status, or a word such as `timeout`."""

    outcome: Verdict
    answer: str


class DeliveryAnswer(Model):
    """`delivery_id` is the webhook-id, over all attempts and replays. `spent` counts attempts of the schedule, `tries`
    all. `handled` is what the receiver says it did; `words`, for the operator, why. Instants are UTC.
    """

    delivery_id: str
    endpoint_id: str
    agency: Agency
    office: str | None
    case_id: str
    event_id: str
    type: str
    told_at: str
    state: State
    spent: int
    tries: int
    next_attempt_at: str | None
    outcome: str | None
    created_at: str
    ended_at: str | None
    handled: str | None
    handled_at: str | None
    words: dict[str, str] | None = None


class DeliveriesAnswer(Model):
    """In the order they were queued."""

    deliveries: list[DeliveryAnswer]
    next_cursor: str | None


class AttemptAnswer(Model):
    """`probe`: it tested an endpoint that failed too much, and counts for nothing."""

    number: int
    at: str
    verdict: Verdict
    code: str
    milliseconds: int
    probe: bool


class DeliveryWithAttempts(DeliveryAnswer):
    attempts: list[AttemptAnswer]


class ReplayAnswer(Model):
    replayed: int
