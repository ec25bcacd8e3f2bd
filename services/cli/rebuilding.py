"""`netral rebuild`: has the read model built anew while everything runs, and compared with the one in use."""

import sys
from typing import Any

from services.cli.casework import OPERATOR, follow
from services.cli.console import complain, printable, write_json
from services.cli.errors import Stop

WHAT = "rebuild"
_PATH = "/v1/operator/rebuild"


def rebuild(*, check: bool, replace: bool, as_json: bool) -> None:
    """Compare, and mend if `replace` or if who sits there agrees. Raises Stop if a difference stays (1)."""
    lines = _told(replace=replace, as_json=as_json)
    if lines[-1]["equal"] or lines[-1]["replaced"]:
        return
    if check or as_json or not sys.stdin.isatty():
        cure = "" if check else "; add --replace to take over the new one"
        raise Stop(f"{WHAT}: the views differ from what the streams say{cure}")
    if input("Take over the new one? It is built and compared again. [y/N] ").strip().lower() != "y":
        raise Stop(f"{WHAT}: the views were left as they are")
    _told(replace=True, as_json=as_json)


def _told(*, replace: bool, as_json: bool) -> list[dict[str, Any]]:
    """Every line, shown as it comes. Raises Stop."""
    lines = []
    for line in follow(_PATH, OPERATOR, what=WHAT, body={"replace": replace}):
        lines.append(line)
        if not as_json:
            _show(line)
    if not lines or lines[-1]["event"] != "done":
        why = lines[-1].get("why") if lines else None
        raise Stop(f"{WHAT}: {why or 'the answer ended too soon; run it again'}")
    if as_json:
        write_json(lines)
    return lines


def _show(line: dict[str, Any]) -> None:
    match line["event"]:
        case "reading":
            counted = f"{line['percent']:5.1f} %  {line['read']} messages, {line['rate']}/s"
            complain(f"{line['stream']:8} {counted}")
        case "compared":
            told = f"{line['differing']} differ" if line["differing"] else "equal"
            print(f"{line['table']:14} {line['rows']:9} rows  {told}")
            for key in line["keys"]:
                print(f"  {printable(key)}")
            if line["differing"] > len(line["keys"]):
                print(f"  … and {line['differing'] - len(line['keys'])} more")
        case "done":
            print(_ending(line))


def _ending(line: dict[str, Any]) -> str:
    if line["equal"]:
        return "Equal: the views are what the streams say."
    return (
        "Replaced: the views are now what the streams say."
        if line["replaced"]
        else "Different; nothing changed."
    )
