"""What goes wrong and when, derived from a seed alone: the same seed gives the same schedule."""

import random
from dataclasses import dataclass

from contracts.topology import CONSUMERS

ROUND = 18.0
"""Seconds in which every deed is done once, in an order of its own."""
_SERVICES = ("intake", "routing", "notifications", "smtp")
_LINKS = ("broker", "mail", "inner", "push")
_USERS = ("intake", "routing", "notifications")
_DURABLES = tuple(consumer.name for consumer in CONSUMERS)
DEEDS = (
    *(("kill", name) for name in (*_SERVICES, "broker")),
    ("crash", "database"),
    ("hang", "database"),
    ("demote", "database"),
    ("refuse", "password"),
    ("pause", "service"),
    ("slow", "link"),
    ("hole", "link"),
    ("cut", "link"),
    ("fill", "disk"),
    ("fail", "power"),
    ("corrupt", "REPORTS"),
    ("upgrade", "rulebook"),
    ("rotate", "key"),
    ("exchange", "vault"),
    ("jump", "clock"),
    ("forget", "durable"),
)
_JUMPS = ("-3600", "3600", "777600", "3456000")
"""Seconds: an hour either way, nine days, in which first limits pass, and forty, in which that of a PPK does."""
_LASTING = {
    "kill": (0.0, 1.5),
    "hang": (0.5, 3.0),
    "demote": (0.5, 3.0),
    "refuse": (0.5, 3.0),
    "pause": (0.5, 3.0),
    "slow": (1.0, 4.0),
    "hole": (0.5, 3.0),
    "cut": (0.2, 1.5),
    "fill": (0.5, 2.5),
    "fail": (0.0, 1.5),
    "exchange": (0.3, 1.5),
    "jump": (7.0, 11.0),
    "forget": (0.0, 2.0),
}


@dataclass(frozen=True)
class Deed:
    """At `at` seconds `kind` is done to `target`, for `lasts` seconds."""

    at: float
    kind: str
    target: str
    lasts: float

    def __str__(self) -> str:
        lasting = f" for {self.lasts:.1f} s" if self.lasts else ""
        return f"{self.at:6.1f} s  {self.kind} {self.target}{lasting}"


def schedule(seed: int, seconds: float) -> list[Deed]:
    """The deeds of a run, whole rounds, so that `seconds` is rounded up."""
    dice, deeds = random.Random(seed), list[Deed]()
    for number in range(max(1, round(seconds / ROUND))):
        order = dice.sample(DEEDS, len(DEEDS))
        slot = ROUND / len(order)
        for place, (kind, target) in enumerate(order):
            at = number * ROUND + (place + dice.random()) * slot
            deeds.append(Deed(at, kind, _one_of(target, dice), _lasting(kind, dice)))
    return deeds


def _one_of(target: str, dice: random.Random) -> str:
    if target == "service":
        return dice.choice((*_SERVICES, "broker"))
    several = {"link": _LINKS, "clock": _JUMPS, "durable": _DURABLES, "password": _USERS}.get(target)
    return dice.choice(several) if several else target


def _lasting(kind: str, dice: random.Random) -> float:
    low, high = _LASTING.get(kind, (0.0, 0.0))
    return dice.uniform(low, high)
