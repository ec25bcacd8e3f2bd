"""A copy of the streams that does not hold yet what came last, as a node of a cluster for some milliseconds."""

import json
from typing import Any

from nats.aio.client import Client

from services.runtime.bus import Bus


class Behind(Bus):
    """Who asks any copy is answered by such a one; only the leader of a stream knows better."""

    def __init__(self, nc: Client) -> None:
        super().__init__(nc)
        self.nc = _Asking(nc)

    async def last(self, stream: str, filter_: str) -> None:
        return None


class _Asking:
    def __init__(self, nc: Client) -> None:
        self._nc = nc

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nc, name)

    async def publish(self, subject: str, payload: bytes = b"", **how: Any) -> None:
        """As the client's, but the copy is asked for what no stream will ever hold."""
        if subject.startswith("$JS.API.DIRECT.GET."):
            payload = json.dumps({**json.loads(payload), "seq": 2**53}).encode()
        await self._nc.publish(subject, payload, **how)
