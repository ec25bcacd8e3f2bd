"""Answers Netral's webhooks in any framework: verified, each handled once, and never with a 500.

receiver = Receiver(["whpk_…"], Seen("seen.db"), handle)
answer = receiver.answer(request.headers, raw_body, now)     # status and a JSON document
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.agency_events import AgencyDue, AgencyOffered, AgencyStepped, AnyAgencyEvent
from contracts.receiver.seen import Seen
from contracts.receiver.signing import Verified, WrongSignature, key_of, verify

MAX_BYTES = 65_536
"""What a receiver should take at least; Netral itself sends less than 20,000."""
CHALLENGE = "id.netral.webhook.challenge.v1"
Told = AgencyOffered | AgencyStepped | AgencyDue
_ANY: TypeAdapter[Told] = TypeAdapter(AnyAgencyEvent)
_KNOWN = {kind.model_fields["type"].default for kind in (AgencyOffered, AgencyStepped, AgencyDue)}
_log = logging.getLogger("netral.receiver")


@dataclass(frozen=True)
class Answer:
    """2xx: it is ours to care for now. 4xx: it is wrong. 503: not now, Netral sends it again."""

    status: int
    document: dict[str, Any] = field(default_factory=dict)


class Receiver:
    """`keys` are `whpk_…` or `whsec_…`; all that are good now, so a key changes without a gap. Raises BadKey.

    `handle` is called once for each event. If it raises, the event is not remembered and comes again.
    """

    def __init__(self, keys: Iterable[str], seen: Seen, handle: Callable[[Told], None]) -> None:
        self._keys, self._seen, self._handle = [key_of(text) for text in keys], seen, handle

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        """The answer to one request; it raises nothing. `body` is the bytes as they came, `now` has a zone."""
        if len(body) > MAX_BYTES:
            return Answer(413, {"error": "too large"})
        try:
            verified = verify(headers, body, self._keys, now)
        except WrongSignature as problem:
            return Answer(401, {"error": problem.reason})
        try:
            return self._answer(verified, json.loads(body))
        except ValidationError:
            return Answer(422, {"error": "the event lacks what its kind must have"})
        except (ValueError, RecursionError):
            return Answer(400, {"error": "the body is not a JSON object"})
        except Exception as problem:  # whatever is wrong with us, the event must come again
            _log.error("webhook %s is not handled: %s", verified.message_id, type(problem).__name__)
            return Answer(503, {"error": "not now; send it again"})

    def _answer(self, verified: Verified, document: Any) -> Answer:
        if not isinstance(document, dict):
            raise ValueError("not an object")
        if document.get("type") == CHALLENGE:
            data = document.get("data")
            return Answer(200, {"challenge": data.get("challenge") if isinstance(data, dict) else None})
        if document.get("type") not in _KNOWN:
            return Answer(
                200, {"result": "passed over"}
            )  # newer than this kit, or a ping: refusing helps nobody
        event = _ANY.validate_python(document)
        with self._seen.once(verified.message_id) as new:
            if new:
                self._handle(event)
        return Answer(200, {"result": "handled" if new else "handled before"})
