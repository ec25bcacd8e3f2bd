"""`netral case` and `netral inbox`: what the routing service knows, as a person reads it."""

import json
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

from contracts.codes import Agency
from services.cli.console import complain, printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.story import deadline_in_words, local_time, story
from services.cli.web import address, call, lines_of, settings_of
from services.routing.settings import RoutingSettings
from services.runtime.settings import BadSettings

OPERATOR = "OPERATOR"


def case(case_id: str, *, cursor: str | None = None, as_json: bool) -> None:
    """Tell the story of one case, or with a cursor more of its reports and e-mails. Raises Stop."""
    wanted, params = case_id.strip(), {"cursor": cursor} if cursor else None
    path = f"/v1/operator/cases/{quote(wanted, safe='')}"
    document = ask(path, OPERATOR, what=f"case {wanted}", params=params)
    if as_json:
        write_json(document)
        return
    for line in story(document):
        tables().print(printable(line), markup=False)


def inbox(agency: str, *, office: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """Show the newest cases of one agency, or with a cursor those that follow. Raises Stop."""
    code = agency_code(agency)
    narrowed = {"office": office} if office else {}

    def page(params: dict[str, str]) -> Any:
        return ask(f"/v1/agencies/{code}/inbox", code, what=f"inbox of {code}", params={**narrowed, **params})

    document = cases_from(page, limit, cursor)
    if as_json:
        write_json(document)
        return
    if not document["cases"]:
        tables().print(f"The inbox of {code} is empty." if cursor is None else "No case follows.")
        return
    tables().print(_table(document["cases"]))
    if document["next_cursor"]:
        complain(f"More: add --cursor {document['next_cursor']}")


def cases_from(
    page: Callable[[dict[str, str]], Any], limit: int, cursor: str | None = None
) -> dict[str, Any]:
    """So many cases of an inbox, from as many pages as it takes, and the cursor of what follows."""
    cases: list[Any] = []
    while True:
        found = page({"limit": str(limit - len(cases)), **({"cursor": cursor} if cursor else {})})
        cases, cursor = cases + found["cases"], found["next_cursor"]
        if cursor is None or len(cases) >= limit:
            return {"cases": cases, "next_cursor": cursor}


def agency_code(text: str) -> str:
    """The code a person means. Raises Stop (2) with the nearest one."""
    known = [agency.value for agency in Agency]
    code = text.strip().upper()
    if code in known:
        return code
    near = get_close_matches(code, known, 1)
    cure = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
    raise Stop(f"{printable(text)}: is not an agency; {cure}", BAD_INPUT)


def ask(
    path: str,
    agency: str,
    *,
    what: str,
    params: dict[str, str] | None = None,
    method: str = "GET",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """What the routing service answers to `agency`. Raises Stop."""
    settings = settings_of(RoutingSettings)
    url = address(settings.routing_host, settings.routing_port) + path
    with_key = {"Authorization": f"Bearer {_key(settings, agency)}", **(headers or {})}
    return call(method, url, with_key, what=what, params=params, body=body)


def follow(path: str, agency: str, *, what: str, body: Any) -> Iterator[Any]:
    """The lines the routing service answers to `agency`, as they come. Raises Stop."""
    settings = settings_of(RoutingSettings)
    url = address(settings.routing_host, settings.routing_port) + path
    return lines_of(url, {"Authorization": f"Bearer {_key(settings, agency)}"}, what=what, body=body)


def _key(settings: RoutingSettings, agency: str) -> str:
    where = settings.data_dir / "secrets" / "agency-keys.json"
    try:
        return str(json.loads(settings.secret("agency-keys.json"))[agency])
    except BadSettings as problem:
        raise Stop(str(problem)) from None
    except (ValueError, KeyError, TypeError):
        raise Stop(
            f"{where}: holds no key of {agency}; stop Netral, move the file away, `netral up`"
        ) from None


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table("Opened", "Ticket", "Region", "Person", "Office", "Role", "Since", "Rule", "Deadline")
    for item in cases:
        for row in _rows(item):
            table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    return table


def _rows(item: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """One row for each active assignment; the case is named in the first."""
    named = (local_time(item["opened_at"], item["region"]), str(item["ticket"]), str(item["region_name"]))
    for person in item["persons"]:
        for part in person["assignments"]:
            if part["active"]:
                told = (
                    person["ref"],
                    part["office"] or "not known",
                    part["role"],
                    part["when"],
                    part["rule"],
                )
                yield (*named, *map(str, told), deadline_in_words(part["deadline"]))
                named = ("", "", "")
