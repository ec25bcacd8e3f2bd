"""What `netral agencies list|show|load|retire` do: ask the routing service, and print for a person."""

from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from contracts.directory import WHOLE
from services.cli.case_files import day_of
from services.cli.casework import OPERATOR, agency_code, ask
from services.cli.console import printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.reading import read_bytes
from services.routing.agencies.csv_cells import BrokenFile
from services.routing.agencies.csv_file import read_directory

ROOT = "/v1/operator/agencies"


def listing(agency: str | None, on: str | None, *, as_json: bool) -> None:
    """Print the offices. Raises Stop."""
    params = {
        **({"agency": agency_code(agency)} if agency else {}),
        **({"on": day_of(on, "--on").isoformat()} if on else {}),
    }
    document = ask(ROOT, OPERATOR, what="agencies", params=params)
    if as_json:
        write_json(document)
    else:
        tables().print(_table(document["offices"], on))


def show(office: str, *, as_json: bool) -> None:
    """Print one office. Raises Stop."""
    document = ask(path_of(office), OPERATOR, what=f"office {office}")
    if as_json:
        write_json(document)
        return
    tables().print(_table([document], None))
    for term in document["terms"]:
        for name in ("successor", "covers", "language", "zone", "digest", "source"):
            if term[name]:
                tables().print(printable(f"  {name}: {_words(term[name])}"), markup=False)


def load(file: str, *, dry_run: bool, as_json: bool) -> None:
    """Check a file, then give it to the running system. Raises Stop (2) with every fault."""
    raw = read_bytes(file)
    try:
        offices = read_directory(raw)
    except BrokenFile as broken:
        raise Stop("\n".join(f"{file}: {printable(fault)}" for fault in broken.faults), BAD_INPUT) from None
    body = {"csv": raw.decode("utf-8-sig"), "dry_run": dry_run}
    told = ask(ROOT, OPERATOR, what="agencies load", method="PUT", body=body)
    if as_json:
        write_json(told)
        return
    for change in told["changes"]:
        fields = f": {', '.join(change['fields'])}" if change["fields"] else ""
        tables().print(f"{change['what']} {change['agency']}/{change['office']}{fields}", markup=False)
    said = "would change" if dry_run else "changed"
    tables().print(f"ok: {len(offices)} offices read, {len(told['changes'])} {said}", markup=False)


def retire(office: str, last_day: str, successor: str | None) -> None:
    """End an office. Raises Stop."""
    body = {"last_day": day_of(last_day, "--last-day").isoformat(), "successor": successor}
    ask(f"{path_of(office)}/retirement", OPERATOR, what=f"office {office}", method="POST", body=body)
    tables().print(printable(f"ok: {office} ends after {last_day}"), markup=False)


def path_of(office: str) -> str:
    """The address of an office. Raises Stop (2)."""
    agency, _, code = office.strip().partition("/")
    return f"{ROOT}/{agency_code(agency)}/offices/{quote(code or WHOLE, safe='')}"


def _table(offices: list[dict[str, Any]], on: str | None) -> Table:
    table = Table("Agency", "Office", "Name", "From", "Until", "Duty address", "Channels")
    for office in offices:
        for term in office["terms"]:
            if on is None or term["valid_from"] <= on <= (term["valid_until"] or on):
                cells = (
                    office["agency"],
                    office["office"],
                    term["name"]["id"],
                    term["valid_from"],
                    term["valid_until"] or "",
                    term["duty_address"] or "",
                    _words(term["channels"]),
                )
                table.add_row(*(Text(printable(str(cell)), overflow="fold") for cell in cells))
    return table


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
