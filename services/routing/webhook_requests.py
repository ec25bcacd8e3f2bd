"""What agencies and the operator send to the doors of webhooks."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from contracts import regions
from contracts.codes import Agency
from contracts.report import ONE_LINE, PROSE
from contracts.report import Part as Strict
from contracts.webhooks import Signing
from services.routing.core.deliveries import State
from services.routing.instants import Instant

Url = Annotated[str, Field(strict=True, min_length=1, max_length=2000)]
MOST_OVERLAP = 168


class NewEndpoint(Strict):
    """`agency` only by the operator. With `office` it is told of that office's cases only."""

    url: Url
    signing: Signing = Signing.ED25519
    office: Annotated[str, Field(strict=True, max_length=20), ONE_LINE] | None = None
    agency: Agency | None = None

    @field_validator("office")
    @classmethod
    def _is_an_office(cls, office: str | None) -> str | None:
        try:
            regions.label_of(office)
        except KeyError:
            raise ValueError("write pusat, prov:PP or kabkota:PP.KK") from None
        return office


class Movement(Strict):
    """Another URL for the same endpoint; it must prove itself before anything goes there."""

    url: Url


class Rotation(Strict):
    """For so many hours (0 to 168) both keys sign; 0 for a key that leaked."""

    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=MOST_OVERLAP)] = 24


class Replay(Strict):
    """Which deliveries begin anew: at least one field; `since` and `until` (with a zone) bound when they were queued."""

    ids: Annotated[tuple[UUID, ...], Field(max_length=1000)] = ()
    state: State | None = None
    endpoint_id: UUID | None = None
    agency: Agency | None = None
    since: Instant | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _says_which(self) -> "Replay":
        given: tuple[UUID | State | datetime | tuple[UUID, ...] | None, ...] = (
            *(self.ids, self.state, self.endpoint_id, self.since, self.until),
        )
        if not any(given):
            raise ValueError("say which: ids, state, endpoint_id, since or until")
        return self


class Handling(Strict):
    """Why, in your words (sealed, for the operator), and the article you refuse by."""

    reason: Annotated[str, Field(strict=True, max_length=2000), PROSE] | None = None
    article: Annotated[str, Field(strict=True, max_length=200), ONE_LINE] | None = None
