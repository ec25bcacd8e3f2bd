"""`netral rules replay`: decides the stored cases again, from the streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from contracts.decision import Decision
from contracts.events import CaseDecided, ReportAccepted
from services.cli.broker import operator
from services.cli.case_files import day_of, judge
from services.cli.console import tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.law import Judges, judges
from services.cli.web import settings_of
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.rulebook_files import load_rulebook
from services.routing.rules.replaying import Stored, lines_of, replay
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.settings import Settings


def run(folder: str | None, as_if: str | None, *, as_json: bool) -> None:
    """Replay every stored decision, without a folder by the rulebook that made it. Raises Stop.

    Exit code 1 if a decision cannot be reproduced by its own rulebook.
    """
    day = None if as_if is None else day_of(as_if, "--as-if")
    other = _other(folder) if folder else None
    stored, known = asyncio.run(_stored(settings_of(Settings)))
    tally = replay(stored, lambda decision: _judge(known, decision, other), as_if=day)
    if as_json:
        counts = {"before": dict(tally.before), "after": dict(tally.after)}
        write_json({"cases": tally.cases, "same": tally.same, "changed": tally.changed, **counts})
    else:
        for line in lines_of(tally):
            tables().print(line, markup=False)
    if folder is None and day is None and tally.same + tally.other_rulebook < tally.cases:
        raise Stop(
            "rules replay: decisions came out differently under their own rulebook; that is an incident"
        )


def _judge(known: Judges, decision: Decision, other: Reasoner | None) -> Judge:
    """Who made a decision, or the same calendars with another rulebook."""
    made = known.of(decision.rulebook.digest, decision.calendar.digest) or known.packaged
    return replace(made, reasoner=other) if other else made


def _other(folder: str) -> Reasoner:
    try:
        return Reasoner(load_rulebook(Path(folder)))
    except BrokenRulebook as broken:
        raise Stop(str(broken), BAD_INPUT) from None


async def _stored(settings: Settings) -> tuple[list[Stored], Judges]:
    async with operator(settings) as js:
        return [case async for case in _cases(js)], await judges(js, judge())


async def _cases(js: JetStreamContext) -> AsyncIterator[Stored]:
    last = (await js.stream_info("REPORTS")).state.last_seq
    for seq in range(1, last + 1):
        try:
            accepted = ReportAccepted.model_validate_json((await js.get_msg("REPORTS", seq)).data or b"")
            subject = f"cases.{accepted.data.case_id}.decided"
            decided = CaseDecided.model_validate_json((await js.get_last_msg("CASES", subject)).data or b"")
        except (NotFoundError, ValueError):
            continue
        if decided.data.report_id != accepted.data.report_id:  # a copy: the case was decided by the first
            continue
        yield Stored(str(accepted.data.case_id), accepted.data.facts, decided.data.decision)
