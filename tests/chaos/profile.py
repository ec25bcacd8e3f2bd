"""The reports of a run, derived from a seed: few regions have most, bursts of copies, 56 persons at once, hostile ones."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.codes import Act, Status
from tests.builders import a_report

MARK = "kanari-5d1c"
"""Stands in everything that is about a person; it may be nowhere but in the vault, sealed."""
NIP = "198609262015051001"
TOWNS = tuple(
    f"kemendagri:{code}" for code in ("16.07", "64.02", "63.08", "18.72", "52.04", "33.18", "73.71")
)
PERSONS = 56
_STATUSES = (Status.PNS, Status.PNS, Status.PPPK, Status.KEPALA_DESA)


@dataclass(frozen=True)
class Sent:
    """One request. Those of one `event` belong into one case; None is a report that must be refused."""

    key: str
    body: bytes
    event: str | None


def reports(seed: int, count: int, burst: int) -> list[Sent]:
    """About `count` requests; `burst` copies come at once, and one report tells of 56 persons."""
    dice = random.Random(seed + 1)
    sent = [one for number in range(count) for one in _one(dice, number, burst)]
    whole = [_crowd(dice, number) for number in range(max(1, count // 400))]
    for one in whole:
        sent.insert(dice.randrange(len(sent)), one)
    return sent


def _one(dice: random.Random, number: int, burst: int) -> Iterator[Sent]:
    draw = dice.random()
    if draw < 0.1:
        yield Sent(f"hostile-{number}", _hostile(dice, number), None)
    elif draw < 0.9 or number % 5:
        document = _report(dice, f"{MARK} {number}")
        if draw < 0.12:
            document["incident"] |= {"occurred_on": "0900-03-02", "known_on": "0900-03-02"}
        yield Sent(f"one-{number}", _body(document, number), f"event-{number}")
    else:
        document = _report(dice, f"{MARK} {number}")
        for copy in range(burst):
            yield Sent(f"copy-{number}-{copy}", _body(document, copy), f"event-{number}")


def _report(dice: random.Random, name: str) -> dict[str, Any]:
    town = TOWNS[min(int(dice.expovariate(0.6)), len(TOWNS) - 1)]
    return a_report(
        incident__region=town,
        incident__place=f"{MARK}-place",
        person__name=name,
        person__nip=NIP,
        person__post=f"{MARK}-post",
        person__status=dice.choice(_STATUSES).value,
        person__employer={"kind": "KABUPATEN", "region": town, "name": f"{MARK}-employer"},
        act__code=dice.choice(tuple(Act)[:10]).value,
        act__note=f"{MARK}-note",
    )


def _body(document: dict[str, Any], reporter: int) -> bytes:
    told = {
        "kind": "VOTER",
        "name": f"{MARK}-reporter-{reporter}",
        "address": f"{MARK}-address",
        "email": f"{MARK}-{reporter}@warga.example",
    }
    return json.dumps({**document, "narrative": f"{MARK} cerita {reporter}.", "reporter": told}).encode()


def _crowd(dice: random.Random, number: int) -> Sent:
    document = _report(dice, "")
    person = document["persons"][0]
    del person["nip"]
    document["persons"] = [{**person, "ref": f"p{n}", "name": f"{MARK} {number} {n}"} for n in range(PERSONS)]
    document["acts"] = [{**document["acts"][0], "person": f"p{n}"} for n in range(PERSONS)]
    return Sent(f"crowd-{number}", _body(document, number), f"crowd-{number}")


def _hostile(dice: random.Random, number: int) -> bytes:
    document = _report(dice, f"{MARK} {number}")
    return dice.choice(
        (
            b"{" * 5000,
            b"\xff\xfe" + MARK.encode(),
            json.dumps({**document, "narrative": f"{MARK}\x00\u202e"}).encode(),
            json.dumps({**document, "acts": [{"person": f"{MARK}-nobody", "code": "SHOUTING"}]}).encode(),
            json.dumps({**document, "reported_on": "2999-01-01"}).encode(),
            json.dumps({**document, f"{MARK}-field": 1}).encode(),
            json.dumps(document).encode()[:-20],
        )
    )
