"""Checks that what waits for a person does not wait too long."""

from datetime import datetime, timedelta

from services.cli.casework import OPERATOR, ask
from services.cli.checks.finding import ROUTING, Finding, ok, warn
from services.cli.errors import Stop
from services.runtime.clock import now

LONGEST = timedelta(days=5)
"""As the alert MatchesWaiting has it."""


def matches() -> Finding:
    """A warning where a near match waits longer than the operator's queue may."""
    try:
        told = ask("/v1/operator/matches", OPERATOR, what="the near matches", params={"limit": "1"})
    except Stop as trouble:
        return warn("matches", f"cannot be counted ({trouble})", ROUTING)
    if told["oldest_since"] is None:
        return ok("matches", "no pair of reports waits for an answer")
    since = datetime.fromisoformat(told["oldest_since"])
    says = (
        f"{told['waiting']} pairs of reports wait for an answer, the oldest since {since:%Y-%m-%d %H:%M} UTC"
    )
    if now() - since <= LONGEST:
        return ok("matches", says)
    return warn("matches", says, "answer them: `netral matches`")
