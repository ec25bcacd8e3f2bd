"""`netral ops`: what is wrong now, in the terminal, and where the page is."""

from services.cli.console import printable, tables, write_json
from services.cli.errors import TROUBLE, Stop
from services.cli.web import address, call, settings_of
from services.ops.settings import OpsSettings

PATIENCE = 5.0
"""Seconds: the page answers from memory, so one that takes longer hangs."""


def ops(*, as_json: bool) -> None:
    """Print the verdicts of the ops page. Raises Stop: exit code 1 if something must be seen to at once."""
    settings = settings_of(OpsSettings)
    url = address(settings.ops_host, settings.ops_port)
    headers = {}
    if not settings.open_to_all_here:
        headers["Authorization"] = f"Bearer {settings.secret('ops-token')}"
    found = call("GET", f"{url}/api/snapshot", headers, what="the ops page", patience=PATIENCE)
    if as_json:
        write_json(found)
    else:
        tables().print(f"{url}/  (open it in a browser)", markup=False)
        for verdict in found["wrong"]:
            mark = "NOW  " if verdict["page"] else "soon "
            tables().print(
                printable(f"{mark} {verdict['en']}  -> docs/runbooks/{verdict['alert']}.md"), markup=False
            )
        if not found["wrong"]:
            tables().print("Everything is well.")
    if any(verdict["page"] for verdict in found["wrong"]):
        raise Stop("something needs a person now", TROUBLE)
