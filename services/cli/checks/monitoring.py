"""Asks each nats-server whether it is well: one that lost a write answers everything and stores nothing more."""

from collections.abc import Iterator

import httpx

from services.cli.checks.finding import Finding, fail, ok, warn
from services.ops.settings import OpsSettings


def monitoring(settings: OpsSettings) -> Iterator[Finding]:
    """One finding for each server of the broker."""
    for address in settings.monitor_addresses:
        yield _health(address)


def _health(address: str) -> Finding:
    try:
        answer = httpx.get(f"{address}/healthz", timeout=5, trust_env=False)
        ill = "" if answer.is_success else str(answer.json().get("error") or answer.status_code)
    except (httpx.HTTPError, ValueError) as trouble:
        says = f"{address} does not say whether the broker is well ({type(trouble).__name__})"
        return warn("broker health", says, "set NETRAL_MONITOR_URL to the monitoring of every nats-server")
    if ill:
        return fail("broker health", f"{address}: {ill[:300]}", "see docs/runbooks/BrokerUnwell.md")
    return ok("broker health", f"{address} is well")
