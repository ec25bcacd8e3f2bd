"""Reads an agency's own stream: NETRAL_BROKER, NETRAL_SEED and NETRAL_AGENCY (`BKN`, or `BKN/prov:16`) say which."""

import asyncio
import os

from contracts.receiver.seen import Seen
from contracts.receiver.stream import AgencyStream


async def main() -> None:
    agency, _, office = os.environ["NETRAL_AGENCY"].partition("/")
    seen = Seen("seen.db")
    ca = os.environ.get("NETRAL_BROKER_CA")
    url, seed = os.environ["NETRAL_BROKER"], os.environ["NETRAL_SEED"]
    async with AgencyStream(url, seed, agency, office or None, tls_ca=ca) as stream:
        async for told in stream:
            with seen.once(str(told.event.id)) as new:
                if new:
                    print(told.sequence, told.event.type, told.event.data.ticket, flush=True)
            await told.done()


asyncio.run(main())
