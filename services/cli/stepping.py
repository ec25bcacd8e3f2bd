"""`netral step`: says one progress event or one move, as the operator or as an agency."""

import re
import sys
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from getpass import getpass
from typing import Any
from urllib.parse import quote

from contracts import regions
from contracts.codes import ProgressEvent
from contracts.steps import MoveKind
from services.cli.casework import OPERATOR, agency_code, ask
from services.cli.console import printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop, Unknown
from services.cli.story import matters_lines
from services.runtime.clock import Clock, now

_EMPLOYER = re.compile(r"([A-Za-z]+)(?::(\d{2}(?:\.\d{2})?))?", re.ASCII)


@dataclass(frozen=True)
class Words:
    """What was given on the command line besides case, event and speaker; None is not given."""

    person: str | None
    result: str | None
    on: str | None
    to: str | None
    office: str | None
    article: str | None
    reason: str | None
    step: int | None
    status: str | None
    nip: str | None
    post: str | None
    post_kind: str | None
    employer: str | None


def step(
    case_id: str, what: str, by: str, words: Words, seen: int | None, *, as_json: bool, clock: Clock = now
) -> None:
    """Say it, and show who must act next. Raises Stop."""
    speaker = OPERATOR if by.strip().upper() == OPERATOR else agency_code(by)
    name, _, result = what.strip().upper().partition(":")
    case = quote(case_id.strip(), safe="")
    if name in list(ProgressEvent):
        door, body = "progress", _progress(name, result, words)
        body["on"] = words.on or str(_today(case, clock))
    elif name in list(MoveKind):
        door, body = (
            "moves",
            _given(words, "to", "office", "article", "step", "reason") | {"move": name},
        )
    else:
        raise Stop(f"{printable(what)}: {_unknown(name)}", BAD_INPUT)
    root = "/v1/operator" if speaker == OPERATOR else f"/v1/agencies/{speaker}"
    path = f"{root}/cases/{case}/{door}"
    told: dict[str, Any] = {}
    for person in _persons(words):
        told = _say(path, speaker, case_id, body | person, seen)
        seen = None if seen is None else told["step"]
        if not as_json:
            tables().print(f"Step {told['step']} of {told['ticket']} stands.", markup=False)
    if as_json:
        write_json(told)
        return
    for line in matters_lines(told["persons"]):
        tables().print(printable(line), markup=False)


def _persons(words: Words) -> list[dict[str, str]]:
    """About whom each step is; a step is about one person or about everybody."""
    return [{"person": ref.strip()} for ref in words.person.split(",")] if words.person else [{}]


def _say(path: str, speaker: str, case_id: str, body: dict[str, Any], seen: int | None) -> dict[str, Any]:
    """The answer to one step. Raises Stop."""
    name = str(body.get("event") or body.get("move"))
    headers = {} if seen is None else {"If-Match": f'"{seen}"'}
    try:
        told: dict[str, Any] = ask(
            path, speaker, what=f"step {name}", method="POST", body=body, headers=headers
        )
    except Unknown:
        none = "is not known" + ("" if speaker == OPERATOR else f", or {speaker} has no part in it")
        cure = "`netral case` shows who has" if speaker != OPERATOR else "check the spelling"
        raise Stop(f"case {printable(case_id)}: {none}; {cure}", BAD_INPUT) from None
    return told


def _progress(name: str, result: str, words: Words) -> dict[str, Any]:
    body = _given(words, "reason", "status", "post", "post_kind")
    found = result or (words.result or "").upper()
    body |= {"event": name} | ({"result": found} if found else {})
    if words.nip is not None:
        body["nip"] = _asked(words.nip)
    if words.employer is not None:
        body["employer"] = _employer(words.employer)
    return body


def _given(words: Words, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(words, name)) is not None}


def _employer(text: str) -> dict[str, str]:
    """`KABUPATEN:52.04` as the contract writes it. Raises Stop (2)."""
    found = _EMPLOYER.fullmatch(text.strip())
    if found is None:
        raise Stop(
            f"--employer: {printable(text)[:40]} is no employer; write it as KABUPATEN:52.04", BAD_INPUT
        )
    kind, region = found[1].upper(), found[2]
    return {"kind": kind, **({"region": f"kemendagri:{region}"} if region else {})}


def _asked(given: str) -> str:
    if given != "-":
        raise Stop("--nip: a number on the command line can be seen by others; write `--nip -`", BAD_INPUT)
    return getpass("NIP: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


def _today(case: str, clock: Clock) -> date:
    """The day it is at the place of the case. Raises Stop."""
    story = ask(f"/v1/operator/cases/{case}", OPERATOR, what=f"case {case}")
    return clock().astimezone(regions.zone_of(story["region"])).date()


def _unknown(name: str) -> str:
    known = [*map(str, ProgressEvent), *map(str, MoveKind)]
    near = get_close_matches(name, known, 1)
    cure = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
    return f"is neither a progress event nor a move; {cure}"
