"""What a check of `netral doctor` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """`says` is what was found, `cure` what to do about it (empty when all is well)."""

    what: str
    verdict: Verdict
    says: str
    cure: str = ""


def ok(what: str, says: str) -> Finding:
    return Finding(what, Verdict.OK, says)


def warn(what: str, says: str, cure: str) -> Finding:
    return Finding(what, Verdict.WARN, says, cure)


def fail(what: str, says: str, cure: str) -> Finding:
    return Finding(what, Verdict.FAIL, says, cure)


ROUTING = "routing must be ready: its line above says what is wrong; `netral up` starts it"
"""The cure of what only routing can tell, whether it is away or says that it cannot."""
