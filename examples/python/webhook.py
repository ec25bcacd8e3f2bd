"""Receives webhooks: `NETRAL_WEBHOOK_KEY=whpk_… uvicorn webhook:app`, behind a proxy that speaks https."""

import os
from datetime import UTC, datetime

from contracts.receiver.asgi import application
from contracts.receiver.seen import Seen
from contracts.receiver.webhook import Receiver, Told


def handle(event: Told) -> None:
    print(event.type, event.data.ticket, event.data.link, flush=True)


receiver = Receiver([os.environ["NETRAL_WEBHOOK_KEY"]], Seen("seen.db"), handle)
app = application(receiver, lambda: datetime.now(UTC))  # noqa: TID251 - the agency's own clock
