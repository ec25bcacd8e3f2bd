"""`netral webhooks` and `netral deliveries`: asks routing as the operator, and shows what a person needs."""

from typing import Any
from urllib.parse import quote

from services.cli.case_lists import show
from services.cli.casework import OPERATOR, ask
from services.cli.console import complain, printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop

ROOT = "/v1/operator"


def listing(*, as_json: bool) -> None:
    """Every endpoint. Raises Stop."""
    found = ask(f"{ROOT}/webhooks", OPERATOR, what="webhooks")["endpoints"]
    if as_json:
        write_json(found)
    elif not found:
        tables().print("No endpoint is registered.")
    else:
        heads = (
            "Endpoint",
            "Agency",
            "Office",
            "State",
            "Address",
            "Pending",
            "Held",
            "Failing since",
            "See to",
        )
        show(heads, [_line(each) for each in found])


def add(agency: str, url: str, *, office: str | None, signing: str, as_json: bool) -> None:
    """Register an endpoint. Raises Stop."""
    body = {"agency": agency.strip().upper(), "url": url, "signing": signing, "office": office}
    given = {name: value for name, value in body.items() if value is not None}
    _told(ask(f"{ROOT}/webhooks", OPERATOR, what="webhooks add", method="POST", body=given), as_json=as_json)


def act(endpoint: str, method: str, name: str, *, body: Any = None, as_json: bool) -> None:
    """One request about one endpoint. Raises Stop."""
    path = f"{ROOT}/webhooks/{quote(endpoint.strip(), safe='')}{name}"
    _told(ask(path, OPERATOR, what=f"endpoint {endpoint}", method=method, body=body), as_json=as_json)


def deliveries(narrowed: dict[str, str | None], *, limit: int, as_json: bool) -> None:
    """One page of deliveries. Raises Stop."""
    params = {name: value for name, value in narrowed.items() if value}
    params |= {name: params[name].upper() for name in ("state", "agency") if name in params}
    page = ask(f"{ROOT}/deliveries", OPERATOR, what="deliveries", params={**params, "limit": str(limit)})
    if as_json:
        write_json(page)
        return
    if not page["deliveries"]:
        tables().print("Nothing was pushed.")
        return
    heads = (
        "Delivery",
        "Queued",
        "Agency",
        "Office",
        "State",
        "Tries",
        "Last answer",
        "Next",
        "Handled",
        "Case",
    )
    names = ("delivery_id", "created_at", "agency", "office", "state", "tries", "outcome", "next_attempt_at")
    show(heads, [[row[name] for name in (*names, "handled", "case_id")] for row in page["deliveries"]])
    if page["next_cursor"]:
        complain(f"More: add --cursor {page['next_cursor']}")


def delivery(delivery_id: str, *, as_json: bool) -> None:
    """One delivery with its attempts. Raises Stop."""
    path = f"{ROOT}/deliveries/{quote(delivery_id.strip(), safe='')}"
    found = ask(path, OPERATOR, what=f"delivery {delivery_id}")
    if as_json:
        write_json(found)
        return
    tried = found.pop("attempts")
    for name, value in found.items():
        tables().print(printable(f"{name}: {value}"), markup=False)
    names = ("number", "at", "verdict", "code", "milliseconds", "probe")
    show(("No.", "At", "Outcome", "Answer", "ms", "Probe"), [[row[name] for name in names] for row in tried])


def replay(
    ids: list[str], *, state: str | None, agency: str | None, since: str | None, until: str | None
) -> None:
    """Begin deliveries anew. Raises Stop."""
    if not (ids or state or since or until):
        raise Stop("deliveries replay: say which: ids, --state, --since or --until", BAD_INPUT)
    given = {
        "state": state and state.upper(),
        "agency": agency and agency.upper(),
        "since": since,
        "until": until,
    }
    body = {**{name: value for name, value in given.items() if value}, **({"ids": ids} if ids else {})}
    path = f"{ROOT}/deliveries/replay"
    told = ask(path, OPERATOR, what="deliveries replay", method="POST", body=body)
    tables().print(f"{told['replayed']} begin anew.")


def _line(endpoint: dict[str, Any]) -> list[Any]:
    names = ("endpoint_id", "agency", "office", "state", "url", "pending", "held", "failing_since")
    return [*(endpoint[name] for name in names), ", ".join(endpoint["attention"])]


def _told(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(document)
        return
    for name, value in document.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        tables().print(printable(f"{name}: {shown}"), markup=False)
    if "key" in document:
        complain("The key is shown this once; give it to the agency by a safe way.")
