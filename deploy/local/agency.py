"""A small fake agency for demos: it reads its own event stream, and each case with its own key, like a real one would."""

import asyncio
import contextlib
import json
import secrets
import signal
import sys
from typing import Annotated

import httpx
import nats
from pydantic import Field

from contracts.codes import Agency
from contracts.receiver.nkey import public_of, seed_of
from contracts.receiver.seen import Seen
from contracts.receiver.stream import AgencyStream, CannotConnect, Delivery
from contracts.topology import agency_consumer
from deploy.local.identities import Identities
from deploy.local.secrets import write_private
from deploy.streams import add_consumer
from services.runtime.clock import now
from services.runtime.connecting import connection
from services.runtime.logs import configure, log
from services.runtime.settings import BadSettings, Settings, load


class AgencySettings(Settings):
    """Which agency is played, and where its door is."""

    agency: Annotated[Agency, Field(description="The agency that is played")] = Agency.BAWASLU
    routing_port: Annotated[int, Field(ge=1, le=65535, description="Port of the agencies' door")] = 8081


async def identity(settings: AgencySettings) -> str:
    """The seed of the agency played, from its secret; drawn, registered and given a durable where there is none."""
    path = settings.data_dir / "secrets" / f"fake-{settings.agency}.seed"
    identities = Identities(settings.data_dir)
    seed = path.read_text().strip() if path.exists() else seed_of(secrets.token_bytes(32))
    if not path.exists():
        write_private(path, seed + "\n")
    nc = await nats.connect(**connection(settings, "operator"))
    await add_consumer(nc.jetstream(), agency_consumer(settings.agency), replicas=settings.nats_replicas)
    await nc.close()
    if not any(one.public == public_of(seed) for one in identities.all()):
        identities.add(seed, settings.agency, None, now())
        identities.reload()
    return seed


async def run(settings: AgencySettings) -> None:
    """Read until cancelled; what was told stands in `agency/BAWASLU.jsonl` of the data folder, each event once."""
    folder = settings.data_dir / "agency"
    folder.mkdir(exist_ok=True)
    seen = Seen(folder / f"{settings.agency}.db")
    key = json.loads(settings.secret("agency-keys.json"))[settings.agency]
    door = f"http://127.0.0.1:{settings.routing_port}"
    ca = str(settings.nats_tls_ca) if settings.nats_tls_ca else None
    stream = AgencyStream(settings.nats_url, await identity(settings), settings.agency, tls_ca=ca)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=door, headers=headers, trust_env=False) as http, stream:
        log("agency.reads", agency=settings.agency)
        async for told in stream:
            status = await _read(http, told)
            with (
                seen.once(str(told.event.id)) as new,
                (folder / f"{settings.agency}.jsonl").open("a") as file,
            ):
                if new:
                    file.write(told.event.model_dump_json(by_alias=True) + "\n")
            log(
                "agency.told", type=told.event.type, ticket=told.event.data.ticket, case=status, again=not new
            )
            await told.done()


async def _read(http: httpx.AsyncClient, told: Delivery) -> str:
    """How the door answered to the link of an event."""
    try:
        return str((await http.get(told.event.data.link)).status_code)
    except httpx.HTTPError as problem:
        return type(problem).__name__


async def _until_stopped(settings: AgencySettings) -> None:
    reading = asyncio.create_task(run(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, reading.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await reading


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        settings = load(AgencySettings)
        configure("agency", settings.log_level)
        asyncio.run(_until_stopped(settings))
    except (BadSettings, CannotConnect) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
