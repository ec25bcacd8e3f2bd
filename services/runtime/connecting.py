"""The arguments with which every connection of ours is made: user, own inbox, TLS, and patience without end."""

import ssl
from typing import Any

from nats.errors import Error as NatsError

from services.runtime.logs import log
from services.runtime.settings import BadSettings, Settings

PING = 5
"""Seconds between two pings. A broker that answers none of two or three is left for another one: nats-py would go on waiting
for five minutes for one that stands still or whose machine vanished."""


def connection(settings: Settings, user: str) -> dict[str, Any]:
    """The arguments of a connection of ours: who we are, our own inbox, and patience without end."""
    return {
        "servers": settings.nats_url.split(","),
        "user": user,
        "password": settings.secret(f"nats-{user}"),
        "name": f"netral-{user}",
        "inbox_prefix": f"_INBOX_{user}".encode(),
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.5,
        "connect_timeout": 2,
        "ping_interval": PING,
        "error_cb": _heard,
        **({"tls": context} if (context := _tls(settings)) else {}),
    }


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS if a setting or the address asks for it. Raises BadSettings."""
    if settings.nats_tls_ca is None and not settings.nats_url.startswith("tls:"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.nats_tls_ca)
        if settings.nats_tls_cert:
            context.load_cert_chain(settings.nats_tls_cert, settings.nats_tls_key)
    except OSError as problem:
        raise BadSettings(
            f"NETRAL_NATS_TLS_CA, _CERT or _KEY: cannot be used ({problem.strerror or problem}); "
            "name PEM files that can be read"
        ) from None
    return context


async def _heard(problem: Exception) -> None:
    """A refusal in the words of who refused: an operator must tell an old password from a certificate that ran out."""
    why = str(problem)[:100] if isinstance(problem, NatsError) else None
    if isinstance(problem, ssl.SSLCertVerificationError):
        why = problem.verify_message
    log("broker.trouble", level="WARNING", error=type(problem).__name__, why=why)
