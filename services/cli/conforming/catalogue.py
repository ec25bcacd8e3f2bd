"""Every check of a webhook receiver: what is sent, what must be answered, and what to mend if it is not. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts.agency_events import AgencyDue, AgencyDueData
from contracts.case_events import DueLevel
from contracts.codes import Agency
from contracts.ids import NETRAL, derived_id
from contracts.receiver.signing import HmacKey, PrivateKey, signed
from contracts.receiver.webhook import CHALLENGE

SigningKey = HmacKey | PrivateKey


class Wanted(StrEnum):
    """TAKEN is 2xx, REFUSED 4xx; CALM is either of them; PROVED is 200 with the challenge in it."""

    TAKEN = "2xx"
    REFUSED = "4xx"
    CALM = "2xx or 4xx"
    PROVED = "200 and the challenge"


@dataclass(frozen=True)
class Shot:
    """One request; `slow` lets its body drip over about two seconds."""

    headers: dict[str, str]
    body: bytes
    slow: bool = False


@dataclass(frozen=True)
class Check:
    """All shots must be answered as wanted; `together` sends them at once. `cure` is for the receiver's makers."""

    name: str
    shots: tuple[Shot, ...]
    wanted: Wanted
    cure: str
    together: bool = False


class Catalogue:
    """The checks of one run; `now` has a zone and makes the ids, so a second run is news to the receiver."""

    def __init__(self, key: SigningKey, now: datetime) -> None:
        self._key, self._now = key, now

    def checks(self) -> list[Check]:
        """In the order in which they are sent."""
        return [*self._taken(), *self._signatures(), *self._times(), *self._again(), *self._bodies()]

    def _taken(self) -> list[Check]:
        asked = json.dumps({**self._event("challenge"), "type": CHALLENGE, "data": {"challenge": CHALLENGED}})
        return [
            _check("right signature", [self._shot("right")], Wanted.TAKEN, _TAKE),
            _check("challenge", [self._shot("challenge", asked.encode())], Wanted.PROVED, _CHALLENGE),
        ]

    def _signatures(self) -> list[Check]:
        good = self._shot("signatures")
        other = PrivateKey(bytes(32)) if isinstance(self._key, PrivateKey) else HmacKey(bytes(32))
        forged = self._shot("signatures", key=other)
        odd = ("", "v1", "v1,", "v1,,", "v1,%%%", "v1a,AAAA", "v9,AAAA", ",", "v1," + "A" * 3000)
        broken = [_with(good, "webhook-signature", text) for text in odd]
        missing = [
            replace(good, headers={k: v for k, v in good.headers.items() if k != name})
            for name in good.headers
        ]
        tampered = [
            replace(good, body=good.body.replace(b"REMINDER", b"OVERDUE")),
            _with(good, "webhook-id", "another"),
            _with(good, "webhook-timestamp", str(int(good.headers["webhook-timestamp"]) + 1)),
        ]
        two = self._shot("two", key=other).headers["webhook-signature"]
        return [
            _check("wrong signature", [forged], Wanted.REFUSED, _VERIFY),
            _check("changed body, id or time", tampered, Wanted.REFUSED, _CONTENT),
            _check("no signature", missing, Wanted.REFUSED, _VERIFY),
            _check("broken signature", broken, Wanted.REFUSED, _PARSE),
            _check("two signatures", [_behind(self._shot("two"), two)], Wanted.TAKEN, _ROTATE),
            _check(
                "good among broken", [_behind(self._shot("hidden"), "v1,%%% v9,AAAA ")], Wanted.TAKEN, _ROTATE
            ),
        ]

    def _times(self) -> list[Check]:
        odd = [_with(self._shot("odd time"), "webhook-timestamp", text) for text in ("", "now", "-1", "1e9")]
        return [
            _check("stale", [self._shot("stale", ago=timedelta(minutes=10))], Wanted.REFUSED, _TIME),
            _check(
                "from the future", [self._shot("early", ago=-timedelta(minutes=10))], Wanted.REFUSED, _TIME
            ),
            _check("broken time", odd, Wanted.REFUSED, _PARSE),
        ]

    def _again(self) -> list[Check]:
        first, later = self._shot("again"), self._shot("again", ago=timedelta(seconds=-2))
        steps = [self._shot(f"step {number}", number=number) for number in (2, 1, 3)]
        crowd = [self._shot(f"crowd {number}") for number in range(20)]
        return [
            _check("duplicated", [first, first, first], Wanted.TAKEN, _AGAIN),
            _check("replayed later", [later], Wanted.TAKEN, _AGAIN),
            _check("reordered", steps, Wanted.TAKEN, _ORDER),
            replace(_check("at once", crowd, Wanted.TAKEN, _CROWD), together=True),
            replace(
                _check("the same at once", [self._shot("same")] * 10, Wanted.TAKEN, _CROWD), together=True
            ),
        ]

    def _bodies(self) -> list[Check]:
        event = self._event("more")
        more = {**event, "grew": {"deep": [1]}, "data": {**event["data"], "grew": "x"}}
        kind = {**event, "type": "id.netral.agency.unheard.v9", "data": {"anything": True}}
        large = {**self._event("large"), "padding": "x" * 18_900}
        broken = [self._shot(f"broken {body!r}", body) for body in (b"", b"{", b"[]", b"null", b"\xff\xfe")]
        return [
            _check("unknown fields", [self._shot("more", _json(more))], Wanted.TAKEN, _UNKNOWN),
            _check("unknown kind", [self._shot("kind", _json(kind))], Wanted.TAKEN, _UNKNOWN),
            _check("large", [self._shot("large", _json(large))], Wanted.TAKEN, _LARGE),
            _check("far too large", [self._shot("huge", b" " * 2_000_000)], Wanted.CALM, _LARGE),
            _check("slow sender", [replace(self._shot("slow"), slow=True)], Wanted.TAKEN, _SLOW),
            _check("signed nonsense", broken, Wanted.CALM, _PARSE),
        ]

    def _shot(
        self,
        name: str,
        body: bytes | None = None,
        *,
        key: SigningKey | None = None,
        ago: timedelta = timedelta(),
        number: int = 0,
    ) -> Shot:
        body = _json(self._event(name, number)) if body is None else body
        headers = signed([key or self._key], str(self._id(name)), self._now - ago, body)
        return Shot(headers, body)

    def _event(self, name: str, number: int = 0) -> dict[str, Any]:
        case = derived_id(NETRAL, "conform", self._now.isoformat())
        data = AgencyDueData(
            case_id=case,
            ticket="NTR-0000-0000-0000-0000",
            region="kemendagri:52.04",
            agency=Agency.BAWASLU,
            office="kabkota:52.04",
            link=f"/v1/agencies/BAWASLU/cases/{case}",
            person=f"p{number + 1}",
            level=DueLevel.REMINDER,
            last_day=date(2026, 11, 30) + timedelta(days=number),
        )
        told = AgencyDue(
            id=self._id(name), source="netral/conform", subject=str(case), time=self._now, data=data
        )
        return told.model_dump(mode="json", by_alias=True)

    def _id(self, name: str) -> Any:
        return derived_id(NETRAL, "conform", self._now.isoformat(), name)


CHALLENGED = "conform-3f1c7a90"
_TAKE = "answer 200 to an event whose signature is right; do long work afterwards"
_CHALLENGE = f'answer {CHALLENGE} with 200 and {{"challenge": "…"}} as it was sent'
_VERIFY = (
    "verify webhook-signature over `{id}.{timestamp}.` and the raw body before anything else; answer 401"
)
_CONTENT = (
    "what is signed is the id, the timestamp and the body as it came, not the body alone or parsed again"
)
_PARSE = "what cannot be read is refused with 400 or 401; a 5xx means your parser raised, and we send it for 75 hours"
_ROTATE = "the header is a list parted by blanks: one good entry is enough, whatever stands beside it"
_TIME = "refuse a webhook-timestamp that is more than five minutes away from your clock; set the clock by NTP"
_AGAIN = "answer 2xx to a webhook-id you know and do nothing more; an error makes us send it again"
_ORDER = "take events in any order: a later one may come first, `number` and `time` say what is newer"
_CROWD = "take requests at the same moment; store first and work later"
_UNKNOWN = "pass over fields and kinds you do not know and answer 2xx: they are only ever added"
_LARGE = "take bodies of up to 20,000 bytes; refuse what is far larger with 413, without a 5xx"
_SLOW = "wait at least ten seconds for a body that comes slowly"


def _check(name: str, shots: Sequence[Shot], wanted: Wanted, cure: str) -> Check:
    return Check(name, tuple(shots), wanted, cure)


def _with(shot: Shot, name: str, value: str) -> Shot:
    return replace(shot, headers={**shot.headers, name: value})


def _behind(shot: Shot, others: str) -> Shot:
    """The good signature of a shot behind others."""
    return _with(shot, "webhook-signature", f"{others} {shot.headers['webhook-signature']}")


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
