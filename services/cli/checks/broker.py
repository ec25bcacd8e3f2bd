"""Checks the broker: login, streams against the topology table, consumers, dead letters."""

from nats.js import JetStreamContext
from nats.js.api import AccountInfo, ConsumerInfo
from nats.js.errors import NotFoundError

from contracts.topology import CONSUMERS
from deploy.streams import drift
from services.cli.broker import operator
from services.cli.checks.finding import Finding, fail, ok, warn
from services.cli.errors import Stop
from services.runtime.settings import Settings

NEARLY_FULL = 0.9
"""Of what the account may store."""
NOT_OURS = "not in the table"
"""How `deploy.streams.drift` calls a stream that the topology table does not know."""


async def broker(settings: Settings) -> list[Finding]:
    """Findings about the broker; if it is away, only that."""
    try:
        async with operator(settings) as js:
            found = [ok("broker", f"{settings.broker_shown}, logged in as operator")]
            return [
                *found,
                room_of(await js.account_info()),
                await _streams(js, settings.nats_replicas),
                *[await _consumer(js, c.stream, c.name) for c in CONSUMERS],
                await _parked(js),
            ]
    except Stop as problem:
        says, _, cure = str(problem).partition("; ")
        return [fail("broker", says, cure)]


def room_of(account: AccountInfo) -> Finding:
    """Whether the broker's own limit of our account leaves room; a limit below what is stored refuses every report."""
    parts = [one for one in (account.tiers or {"": account}).values() if one.limits.max_storage >= 0]
    shares = [(one.storage / max(one.limits.max_storage, 1), one) for one in parts]
    share, fullest = max(shares, key=lambda found: found[0], default=(0.0, account))
    if not parts:
        return ok("room", f"{_mb(account.storage)} stored, the broker sets our account no limit")
    says = f"{_mb(fullest.storage)} stored of the {_mb(fullest.limits.max_storage)} the broker lets our account have"
    if share < NEARLY_FULL:
        return ok("room", says)
    cure = "raise the account's limit at the broker (`max_file`, or the account's JetStream limits)"
    return (fail if share >= 1 else warn)("room", says, cure)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


async def _streams(js: JetStreamContext, replicas: int) -> Finding:
    found = await drift(js, replicas=replicas)
    says = "; ".join(f"{item.what}: {item.field} is {item.found}, wanted {item.wanted}" for item in found)
    if any(item.wanted != NOT_OURS for item in found):
        return fail("streams", says, "run `netral provision`")
    if found:
        return warn("streams", says, "remove it if nobody needs it; Netral never deletes a stream")
    return ok("streams", "as the topology table says")


async def _consumer(js: JetStreamContext, stream: str, name: str) -> Finding:
    try:
        return _lag(name, await js.consumer_info(stream, name))
    except NotFoundError:
        return fail(f"consumer {name}", f"does not exist on {stream}", "run `netral provision`")


def _lag(name: str, info: ConsumerInfo) -> Finding:
    waiting, working = info.num_pending or 0, info.num_ack_pending or 0
    says = f"{waiting} waiting, {working} being handled"
    if waiting and not info.num_waiting and not working:
        return warn(
            f"consumer {name}", f"{says}, and nobody reads", "see whether its service runs (data/logs)"
        )
    return ok(f"consumer {name}", says)


async def _parked(js: JetStreamContext) -> Finding:
    try:
        count = (await js.stream_info("PARKED")).state.messages
    except NotFoundError:
        return fail("parked", "the stream PARKED does not exist", "run `netral provision`")
    if count:
        return warn("parked", f"{count} messages need a person", "`netral parked` lists and replays them")
    return ok("parked", "nothing")
