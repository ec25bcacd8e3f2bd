"""What `netral agencies keys …` does: ask the routing service, show a key once, list the others by their prefix."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from services.cli.casework import OPERATOR, agency_code, ask
from services.cli.console import complain, printable, tables, write_json
from services.cli.reading import read_bytes

ROOT = "/v1/operator/keys"


def listing(holder: str | None, *, as_json: bool) -> None:
    """Print the keys. Raises Stop."""
    params = {"holder": _holder(holder)} if holder else {}
    document = ask(ROOT, OPERATOR, what="keys", params=params)
    if as_json:
        write_json(document)
        return
    table = Table("Holder", "Office", "Prefix", "Scopes", "Issued", "Expires", "Last used", "State")
    for key in document["keys"]:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in _cells(key)))
    tables().print(table)


def issue(holder: str, scopes: list[str], days: int, public_key: str | None) -> None:
    """Issue a key and print it, once. Raises Stop."""
    agency, _, office = holder.partition("/")
    body: dict[str, Any] = {
        "holder": _holder(agency),
        "office": office or None,
        "scopes": scopes,
        "expires_in_days": days,
    }
    if public_key:
        body["public_key"] = read_bytes(public_key, 10_000).decode("ascii", "replace")
    _shown(ask(ROOT, OPERATOR, what="keys issue", method="POST", body=body))


def rotate(key: str, overlap_hours: int) -> None:
    """Print a new key; the old one opens for the overlap. Raises Stop."""
    path = f"{ROOT}/{quote(key.strip(), safe='')}/rotation"
    _shown(ask(path, OPERATOR, what=f"key {key}", method="POST", body={"overlap_hours": overlap_hours}))


def revoke(key: str) -> None:
    """End a key. Raises Stop."""
    path = f"{ROOT}/{quote(key.strip(), safe='')}/revocation"
    told = ask(path, OPERATOR, what=f"key {key}", method="POST")
    tables().print(
        printable(f"ok: {told['prefix']} of {told['holder']} opens nothing any more"), markup=False
    )


def _holder(text: str) -> str:
    return OPERATOR if text.strip().upper() == OPERATOR else agency_code(text)


def _shown(told: dict[str, Any]) -> None:
    """The key alone on standard output, so that it can be piped; what a person needs to know on standard error."""
    if told["key"] is None:
        complain(f"registered until {told['expires_at']}; the client id (iss and sub) is:")
        tables().print(told["key_id"], markup=False)
        return
    complain(f"this is the only time the key of {told['holder']} is shown; it ends {told['expires_at']}:")
    tables().print(told["key"], markup=False)


def _cells(key: dict[str, Any]) -> list[str]:
    state = "valid" if key["valid"] else "revoked" if key["revoked_at"] else "expired"
    return [
        key["holder"],
        key["office"] or "",
        key["prefix"],
        " ".join(key["scopes"]),
        *(_hour(key[name]) for name in ("issued_at", "expires_at", "last_used")),
        state,
    ]


def _hour(instant: str | None) -> str:
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M UTC") if instant else ""
