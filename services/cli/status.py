"""`netral status`: how far a report has come, for whoever holds its receipt."""

import getpass
import sys
from urllib.parse import quote

from services.cli.console import printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.web import address, get, settings_of
from services.intake.settings import IntakeSettings


def status(ticket: str, *, as_json: bool) -> None:
    """Ask for the receipt and show the status. Raises Stop."""
    settings = settings_of(IntakeSettings)
    receipt = _receipt()
    url = f"{address(settings.intake_host, settings.intake_port)}/v1/reports/{quote(ticket.strip(), safe='')}"
    answer = get(url, {"Netral-Receipt": receipt}, what="this ticket with this receipt")
    if as_json:
        write_json(answer)
        return
    lines = [
        f"{answer['ticket']}  {answer['state_label']} ({answer['state']})",
        f"received {answer['received_at'][:19].replace('T', ' ')} at the place",
    ]
    for said in (*answer.get("progress", ()), answer["next"]):
        lines += [said["id"], f"  {said['en']}"]
    for line in lines:
        tables().print(printable(line), markup=False)


def _receipt() -> str:
    receipt = (getpass.getpass("Receipt: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not receipt.isascii() or not receipt.isprintable() or not receipt:
        raise Stop("receipt: is not one; it looks like XXXX-XXXX-XXXX-XXXX-XXXX-XXXX", BAD_INPUT)
    return receipt
