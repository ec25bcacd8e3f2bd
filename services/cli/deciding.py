"""`netral decide`: one report in, one decision out, without any server (contract.md, part 3)."""

from services.cli.case_files import judge, read_case
from services.cli.console import write_json
from services.runtime.clock import Clock, now


def decide(report: str, handled_on: str | None, progress: str | None, *, clock: Clock = now) -> None:
    """Print the decision. Raises Stop: exit code 2 with every fault of both documents."""
    case = read_case(report, handled_on, progress, clock=clock)
    write_json(judge().decide(case.facts, case.handled_on, case.progress).document())
