"""The operator's connection to the broker: one attempt, and a sentence if it fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from services.cli.errors import TROUBLE, Stop
from services.runtime.connecting import connection
from services.runtime.settings import BadSettings, Settings


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[JetStreamContext]:
    """JetStream as the user `operator`. Raises Stop if the broker is away, refuses or leaves."""
    options = _options(settings)
    try:
        nc = await nats.connect(**options)
    except (NatsError, OSError, TimeoutError, ValueError) as problem:
        raise Stop(_cause(settings, problem)) from problem
    try:
        yield nc.jetstream(timeout=5)
    except (NatsError, TimeoutError) as problem:
        raise Stop(
            f"{settings.broker_shown}: the broker did not answer ({type(problem).__name__}); try again"
        ) from problem
    finally:
        await nc.close()


def _options(settings: Settings) -> dict[str, object]:
    try:
        options = connection(settings, "operator")
    except BadSettings as problem:
        raise Stop(str(problem), TROUBLE) from None
    # Without a bound on attempts nats-py tries a server that is away for ever, whatever `allow_reconnect` says.
    once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0.1}
    return {**options, **once, "error_cb": _in_silence}


async def _in_silence(_problem: Exception) -> None:
    """The sentence on standard error is enough."""


def _cause(settings: Settings, problem: Exception) -> str:
    if "authorization" in str(problem).lower():
        return f"{settings.broker_shown}: refuses the operator; secrets/nats-operator is not what it was started with"
    return f"{settings.broker_shown}: the broker does not answer; start it with `netral up`, or set NETRAL_NATS_URL"
