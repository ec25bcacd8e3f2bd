"""`netral up` and `netral provision`: hand over to the local platform."""

import asyncio

from contracts.codes import Agency
from deploy.local.settings import UpSettings
from deploy.local.supervisor import run as supervise
from deploy.streams import Drift
from deploy.streams import provision as apply
from services.cli.broker import operator
from services.cli.console import complain, printable, tables
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import settings_of
from services.runtime.settings import Settings


def up(agency: str | None = None) -> int:
    """Run the system until it is told to stop; the supervisor's exit code. Raises Stop for an unknown agency."""
    settings = settings_of(UpSettings)
    if agency and agency not in list(Agency):
        raise Stop(f"--agency: {agency[:40]!r} is none; write one of {', '.join(Agency)}", BAD_INPUT)
    return supervise(settings.model_copy(update={"agency": Agency(agency)}) if agency else settings)


def provision() -> int:
    """Apply the topology table; 1 if something still differs."""
    settings = settings_of(Settings)
    found = asyncio.run(_provision(settings))
    for difference in found:
        tables().print(printable(str(difference)), markup=False)
    if left := [difference for difference in found if not difference.applied]:
        complain(
            "provision: the broker did not make everything; run it again when all its servers are up"
            if any(difference.new for difference in left)
            else "provision: some differences cannot be changed in place; what to do stands with each"
        )
        return TROUBLE
    tables().print("Streams and consumers are as the topology table says.")
    return 0


async def _provision(settings: Settings) -> list[Drift]:
    async with operator(settings) as js:
        return list(await apply(js, replicas=settings.nats_replicas))
