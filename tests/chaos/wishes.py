"""What everybody wishes in a random walk, drawn from a seed: the same seed wishes the same in the same order."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from tests.builders import a_report

STATUSES = ("PNS", "PNS", "PNS", "PPPK", "KEPALA_DESA", "TNI", "UNKNOWN", "PJ_KEPALA_DAERAH")
REGIONS = ("kemendagri:52.04", "kemendagri:11.71", "kemendagri:33.74", "kemendagri:91.71")
PROGRESS = (
    ("BAWASLU", "STUDY_CONCLUDED", "BREACH"),
    ("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH"),
    ("BAWASLU", "STUDY_CONCLUDED", "REPAIR_NEEDED"),
    ("BKN", "SATGAS_VERIFIED", "VALID"),
    ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
    ("BKN", "SUPERVISOR_CONCLUDED", "RETURNED"),
    ("PPK", "PPK_CONCLUDED", "SANCTIONED"),
    ("BKN", "PPK_CONCLUDED", "SILENT"),
    ("BKN", "PPK_CONCLUDED", "WRONG_SANCTION"),
    ("BAWASLU", "WITHDRAWN", None),
)
MOVES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("BAWASLU", {"move": "TRANSFER", "to": "POLRI"}),
    ("POLRI", {"move": "ACCEPT"}),
    ("BAWASLU", {"move": "REFUSE", "to": "BKN", "article": "UU 7/2017 art. 455"}),
    ("PPK", {"move": "RETURN", "reason": "berkas kurang"}),
    ("BKN", {"move": "RETURN", "to": "BAWASLU", "reason": "kajian kurang"}),
    ("BKN", {"move": "DONE"}),
    ("OPERATOR", {"move": "ASSIGN", "to": "BAWASLU"}),
    ("OPERATOR", {"move": "VOID", "step": 1, "reason": "keliru"}),
    ("OPERATOR", {"move": "VOID", "step": 2, "reason": "keliru"}),
    ("BKN", {"move": "BLOCK"}),
    ("KEMENDAGRI", {"move": "WARN"}),
)
RECENT = 40
"""Half of the steps are about the last so many reports, so that lives grow long however long the walk is."""


class Wish(NamedTuple):
    """One wish. `about` counts reports; `door` is reports, progress, moves or matches; progress gets its day when asked."""

    number: int
    door: str
    by: str
    about: int
    body: dict[str, Any]


def wishes(seed: int, steps: int) -> Iterator[Wish]:
    """So many wishes; the first three are reports, and no step is about a report that was not wished before."""
    dice, reports = random.Random(seed), 0
    for number in range(steps):
        if reports < 3 or dice.random() < 0.2:
            yield Wish(number, "reports", "", reports, _report(dice, number))
            reports += 1
            continue
        recent = range(max(0, reports - RECENT), reports)
        about = dice.choice(recent) if dice.random() < 0.5 else dice.randrange(reports)
        yield _step(dice, number, about)


def _report(dice: random.Random, number: int) -> dict[str, Any]:
    """A new report, or a copy of an earlier one; one in six names several persons."""
    about = number if dice.random() < 0.8 else dice.randrange(number + 1)
    region = REGIONS[about % len(REGIONS)]
    document = a_report(
        incident__region=region,
        incident__occurred_on=f"2024-10-{10 + about % 13}",
        person__name=f"Orang {about}",
        person__status=dice.choice(STATUSES),
        person__nip=_number(about, 1),
        person__employer={"kind": "KABUPATEN", "region": region},
    )
    for other in range(2, dice.choice((1, 1, 1, 1, 1, 4)) + 1):
        person = {**document["persons"][0], "ref": f"p{other}", "name": f"Orang {about} lain {other}"}
        person["nip"] = _number(about, other)
        document["persons"].append({**person, "status": dice.choice(STATUSES)})
        document["acts"].append({**document["acts"][0], "person": f"p{other}"})
    return document


def _number(about: int, serial: int) -> str:
    """A well-formed NIP; each report has its own."""
    born = date(1970, 1, 1) + timedelta(days=about % 9000)
    return f"{born:%Y%m%d}{born.year + 25}{1 + about // 9000 % 12:02}{1 + about % 2}{serial:03}"


def _step(dice: random.Random, number: int, about: int) -> Wish:
    """What anybody says about any case; most of it is refused, as it should be."""
    drawn = dice.random()
    if drawn < 0.05:
        answer = {"answer": dice.choice(("SAME", "DIFFERENT")), "reason": "dibandingkan"}
        return Wish(number, "matches", "OPERATOR", about, answer)
    if drawn < 0.7:
        by, event, result = dice.choice(PROGRESS)
        return Wish(number, "progress", by, about, {"event": event, **({"result": result} if result else {})})
    by, move = dice.choice(MOVES)
    return Wish(number, "moves", by, about, dict(move))
