"""Issues, rotates, revokes and lists the agencies' identities at the broker, and sets their durables back."""

import asyncio
import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Any

from nats.js.errors import NotFoundError
from rich.table import Table

from contracts import regions
from contracts.agency_events import STREAM
from contracts.codes import Agency
from contracts.receiver.nkey import seed_of
from contracts.topology import agency_consumer
from deploy.local.identities import Identities, Identity, NoSuchIdentity
from deploy.streams import add_consumer
from services.cli.broker import operator
from services.cli.console import complain, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.web import settings_of
from services.runtime.clock import now
from services.runtime.rewinding import NoSuchDurable, rewind
from services.runtime.settings import Settings


def issue(body: str, *, as_json: bool) -> None:
    """A new key, its durable, and what the agency must be told. Raises Stop."""
    settings = settings_of(Settings)
    agency, office = _body(body)
    asyncio.run(_durable(settings, agency, office))
    seed = seed_of(secrets.token_bytes(32))
    identities = Identities(settings.data_dir)
    identity = identities.add(seed, agency, office, now())
    _reload(identities)
    _show(settings, identity, seed, as_json=as_json)


def rotate(body: str, *, now: bool, as_json: bool) -> None:
    """Another key beside those that are good; with `now` instead of them. Raises Stop."""
    old = [one for one in _good(settings_of(Settings)) if (one.agency, one.office) == _body(body)]
    if not old:
        raise Stop(f"{body}: has no key yet; use `netral agencies credentials issue {body}`", BAD_INPUT)
    issue(body, as_json=as_json)
    for identity in old if now else ():
        revoke(identity.public, quiet=as_json)
    if not now and not as_json:
        keys = ", ".join(identity.public for identity in old)
        tables().print(f"Still good, until `netral agencies credentials revoke` ends it: {keys}")


def revoke(public: str, *, quiet: bool = False) -> None:
    """Make a key worthless. Raises Stop if it is not one that is good."""
    identities = Identities(settings_of(Settings).data_dir)
    try:
        identity = identities.revoke(public.strip(), now())
    except NoSuchIdentity:
        raise Stop(
            "that is not the public key of an identity that is good; `netral agencies credentials list` shows them",
            BAD_INPUT,
        ) from None
    _reload(identities)
    if not quiet:
        tables().print(f"{_name(identity)}: the key {identity.public} opens nothing any more.")


def listing(*, as_json: bool) -> None:
    """Every key, with what waits for its holder. Raises Stop."""
    settings = settings_of(Settings)
    known = Identities(settings.data_dir).all()
    waiting = asyncio.run(_waiting(settings, {identity.durable for identity in known})) if known else {}
    if as_json:
        write_json([{**asdict(one), "durable": one.durable, **waiting[one.durable]} for one in known])
        return
    table = Table("Body", "Key", "Issued", "Revoked", "Waiting", "Not acknowledged")
    for one in known:
        lag = waiting[one.durable]
        cells = (_name(one), one.public, one.issued_at[:19], (one.revoked_at or "")[:19])
        table.add_row(*cells, str(lag["waiting"]), str(lag["unacknowledged"]))
    tables().print(table if known else "No agency has a key to its stream yet.")


def replay(body: str, sequence: int | None, since: str | None) -> None:
    """Set a durable back. Raises Stop."""
    durable = agency_consumer(*_body(body)).name
    if (sequence is None) == (since is None):
        raise Stop("replay: give either --sequence or --since", BAD_INPUT)
    begins = asyncio.run(_rewind(settings_of(Settings), durable, sequence, _instant(since)))
    tables().print(f"{body}: its events come again from number {begins} of the stream on.")


async def _rewind(settings: Settings, durable: str, sequence: int | None, since: datetime | None) -> int:
    async with operator(settings) as js:
        try:
            return await rewind(js._nc, STREAM, durable, sequence=sequence, since=since)
        except NoSuchDurable:
            raise Stop(
                f"{durable}: has no stream of its own yet; issue it a key with `netral agencies credentials issue`",
                BAD_INPUT,
            ) from None


async def _durable(settings: Settings, agency: str, office: str | None) -> None:
    async with operator(settings) as js:
        await add_consumer(js, agency_consumer(agency, office), replicas=settings.nats_replicas)


async def _waiting(settings: Settings, durables: set[str]) -> dict[str, dict[str, int]]:
    found = {durable: {"waiting": 0, "unacknowledged": 0} for durable in durables}
    async with operator(settings) as js:
        for durable in durables:
            try:
                info: Any = await js.consumer_info(STREAM, durable)
            except NotFoundError:
                continue
            found[durable] = {"waiting": info.num_pending or 0, "unacknowledged": info.num_ack_pending or 0}
    return found


def _body(text: str) -> tuple[str, str | None]:
    """`BAWASLU/kabkota:16.07` as agency and office. Raises Stop."""
    agency, _, office = text.partition("/")
    if agency not in list(Agency):
        raise Stop(f"{agency[:40]!r} is not an agency; write one of {', '.join(Agency)}", BAD_INPUT)
    try:
        regions.label_of(office or None)
    except KeyError:
        raise Stop(
            f"{office[:40]!r} is not an office; write pusat, prov:PP or kabkota:PP.KK", BAD_INPUT
        ) from None
    return agency, office or None


def _instant(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = datetime.min
    if moment and moment.tzinfo is None:
        raise Stop("--since: write an instant with its zone, as 2026-11-01T00:00:00+07:00", BAD_INPUT)
    return moment


def _good(settings: Settings) -> list[Identity]:
    return [identity for identity in Identities(settings.data_dir).all() if identity.revoked_at is None]


def _name(identity: Identity) -> str:
    return f"{identity.agency}/{identity.office}" if identity.office else identity.agency


def _reload(identities: Identities) -> None:
    if not identities.reload():
        complain(
            f"No nats-server of this data folder runs here: copy {identities.conf} beside the configuration of yours "
            "and run `nats-server --signal reload` there; until then nothing has changed for it."
        )


def _show(settings: Settings, identity: Identity, seed: str, *, as_json: bool) -> None:
    told = {
        "agency": identity.agency,
        "office": identity.office,
        "url": settings.nats_url,
        "stream": STREAM,
        "durable": identity.durable,
        "inbox_prefix": f"_INBOX_{identity.durable}",
        "public": identity.public,
        "seed": seed,
    }
    if as_json:
        write_json(told)
        return
    for name, value in told.items():
        if value is not None:
            tables().print(f"{name:13} {value}", markup=False)
    complain("The seed is shown this once and kept nowhere: hand it over by a safe way (docs/streams.md).")
