"""What `netral calendar load` does: reads a folder, asks what it would move, and puts it in force."""

from collections import Counter
from pathlib import Path
from typing import Any

from services.cli.casework import OPERATOR, ask
from services.cli.console import printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.routing.calendar_files import calendar_files, read_calendars
from services.routing.yaml_nodes import BrokenRulebook

PATH = "/v1/operator/calendars"
WHAT = "calendar load"


def load(folder: str, *, dry_run: bool, as_json: bool) -> None:
    """Say which limits move, and unless `dry_run` give the calendars to the running system. Raises Stop with every fault."""
    files = _files(folder)
    calendar, moved, cases = _trial(files)
    told = None if dry_run else ask(PATH, OPERATOR, what=WHAT, method="PUT", body={"files": files})
    if as_json:
        write_json({"calendar": calendar, "moved": moved, "cases": sorted(cases), "loaded": told})
        return
    limits = ", ".join(f"{agency} {count}" for agency, count in sorted(moved.items()))
    say = tables().print
    say(
        f"{calendar['version']}: {sum(moved.values())} limits that run move, in {len(cases)} cases",
        markup=False,
    )
    if limits:
        say(f"by agency: {limits}", markup=False)
    if told is None:
        say("Nothing was changed; leave --dry-run out to do it.")
    else:
        since = f"in force since {told['loaded_at']} (change {told['number']})"
        say(f"ok: {since}; each case whose limits move says so in a step\n{calendar['digest']}", markup=False)


def _files(folder: str) -> dict[str, str]:
    """The files of a folder, read without a fault."""
    path = Path(folder)
    if not path.is_dir():
        raise Stop(f"{folder}: is not a folder; name the folder that holds workdays.yaml", BAD_INPUT)
    files = calendar_files(path)
    try:
        read_calendars(files)
    except BrokenRulebook as broken:
        raise Stop("\n".join(printable(str(fault)) for fault in broken.faults), BAD_INPUT) from None
    return {name: raw.decode() for name, raw in files.items()}


def _trial(files: dict[str, str]) -> tuple[dict[str, str], Counter[str], set[str]]:
    """What these calendars are, and what they would move: limits by agency, and the cases."""
    moved, cases = Counter[str](), set[str]()
    body: dict[str, Any] = {"files": files}
    while True:
        page = ask(f"{PATH}/trial", OPERATOR, what=WHAT, method="POST", body=body)
        moved.update(page["moved"])
        cases |= set(page["cases"])
        if page["next_cursor"] is None:
            return page["calendar"], moved, cases
        body["cursor"] = page["next_cursor"]
