"""What happens to the directory and to the keys of agencies. No person is named; role mailboxes and hashes only."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from contracts.codes import Agency
from contracts.decision import Part
from contracts.directory import Place, Term
from contracts.envelope import Event


class OfficeChangedData(Part):
    """An office as it is from now on, whole: all its terms, in order of time. `version` counts from 1 for each office."""

    agency: Agency
    office: str
    version: int
    terms: tuple[Term, ...]

    @property
    def place(self) -> Place:
        return Place(self.agency, self.office)


class OfficeChanged(Event):
    """An office of the directory was added, changed or retired; each version is stored once."""

    type: Literal["id.netral.agency.changed.v1"] = "id.netral.agency.changed.v1"
    data: OfficeChangedData

    @property
    def nats_subject(self) -> str:
        data = self.data
        return f"agencies.{data.agency}.{_token(data.office)}.{data.version}"


class KeyKind(StrEnum):
    """`BEARER` is sent with each request; `PUBLIC_KEY` only proves who asks for a short-lived token."""

    BEARER = "BEARER"
    PUBLIC_KEY = "PUBLIC_KEY"


class KeyChangedData(Part):
    """A key as it is from now on. A bearer key is told by its SHA-256 and its first characters, never by itself.

    `scopes` empty means nothing is allowed; instants are UTC. `replaced_by` names the key a rotation made.
    """

    key_id: UUID
    version: int
    holder: Agency | Literal["OPERATOR"]
    office: str | None = None
    kind: KeyKind = KeyKind.BEARER
    prefix: str
    sha256: str | None = None
    public_key: str | None = None
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: UUID | None = None


class KeyChanged(Event):
    """A key was issued, rotated or revoked."""

    type: Literal["id.netral.agency.key.v1"] = "id.netral.agency.key.v1"
    data: KeyChangedData

    @property
    def nats_subject(self) -> str:
        return f"agencies.{self.data.holder}.keys.{self.data.key_id}.{self.data.version}"


def _token(office: str) -> str:
    """An office code as one token of a subject: `kabkota-16-07`; `all` for the agency as a whole."""
    return "all" if office == "*" else office.replace(":", "-").replace(".", "-")
