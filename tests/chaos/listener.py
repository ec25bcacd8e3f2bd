"""An agency that is called through the whole storm: it answers whatever reaches it, and checks every signature."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contracts.receiver.signing import WrongSignature, key_of, verify
from deploy.local.receivers import Receivers
from services.runtime.clock import now
from services.runtime.reading import Stored
from tests.chaos.acts import Operator
from tests.chaos.proxy import Proxy
from tests.ports import free_port
from tests.routing.delivery.receiving import served

AGENCY = "BKN"
PATH = "/ok"


@dataclass
class Listener:
    """Registered by the operator at the doors of routing; calls come through `link`."""

    operator: Operator
    receivers: Receivers = field(default_factory=Receivers)
    port: int = field(default_factory=free_port)
    link: Proxy = field(init=False)
    endpoint_id: str = ""
    key: str = ""
    since: datetime | None = None
    """From when on everything must come."""
    _served: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    def __post_init__(self) -> None:
        self.link = Proxy(self.port)

    async def begin(self) -> None:
        """Before the first fault, while routing answers and the link is there."""
        await self._served.enter_async_context(served(self.receivers, port=self.port))
        url = f"http://127.0.0.1:{self.link.port}{PATH}"
        self.endpoint_id, self.key = await self.operator.register(AGENCY, url)
        await self.operator.prove(self.endpoint_id)
        self.since = now()

    async def end(self) -> None:
        await self._served.aclose()

    def misheard(self, told: list[Stored]) -> Iterator[str]:
        """All that its agency was told since it was proved came, by one id each, signed, and nothing else."""
        ids: dict[str, set[str]] = {}
        keys = [key_of(self.key)]
        for heard in self.receivers.on(PATH):
            ids.setdefault(json.loads(heard.body)["id"], set()).add(heard.message_id)
            made = datetime.fromtimestamp(
                int(heard.headers["webhook-timestamp"]), UTC
            )  # by a clock that jumps
            try:
                verify(heard.headers, heard.body, keys, made)
            except WrongSignature as wrong:
                yield f"a webhook came that {AGENCY} must refuse: {wrong.reason}"
        events = [json.loads(one.body) for one in told if one.subject.split(".")[1] == AGENCY]
        meant = {event["id"]: datetime.fromisoformat(event["time"]) for event in events}
        wanted = {key for key, at in meant.items() if self.since and at >= self.since}
        if missing := wanted - ids.keys():
            yield f"{AGENCY} was not called for {len(missing)} of {len(wanted)} events: {sorted(missing)[:3]}"
        if strange := ids.keys() - meant.keys():
            yield f"{AGENCY} was called for {len(strange)} events that it was not told"
        if several := [key for key, found in ids.items() if len(found) > 1]:
            yield f"{len(several)} events came under more than one webhook-id"
