"""`netral rules replay`: decides the stored cases again, from the streams."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from contracts.events import CaseDecided, ReportAccepted
from services.cli.broker import operator
from services.cli.console import tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.web import settings_of
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.deciding import load_judge
from services.routing.rulebook_files import load_rulebook
from services.routing.rules.replaying import Stored, lines_of, replay
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.settings import Settings


def run(folder: str | None, as_if: str | None, *, as_json: bool) -> None:
    """Replay every stored decision. Exit code 1 if a decision of the same rulebook cannot be reproduced. Raises Stop."""
    day = _day(as_if)
    judge = _judge(folder)
    stored = asyncio.run(_stored(settings_of(Settings)))
    tally = replay(stored, judge, as_if=day)
    if as_json:
        counts = {"before": dict(tally.before), "after": dict(tally.after)}
        write_json({"cases": tally.cases, "same": tally.same, "changed": tally.changed, **counts})
    else:
        for line in lines_of(tally):
            tables().print(line, markup=False)
    if folder is None and day is None and tally.same + tally.other_rulebook < tally.cases:
        raise Stop("rules replay: decisions of this very rulebook came out differently; that is an incident")


def _judge(folder: str | None) -> Judge:
    try:
        judge = load_judge()
        return replace(judge, reasoner=Reasoner(load_rulebook(Path(folder)))) if folder else judge
    except BrokenRulebook as broken:
        raise Stop(str(broken), BAD_INPUT) from None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Stop("--as-if: is not a date; write it as YYYY-MM-DD", BAD_INPUT) from None


async def _stored(settings: Settings) -> list[Stored]:
    async with operator(settings) as js:
        return [case async for case in _cases(js)]


async def _cases(js: JetStreamContext) -> AsyncIterator[Stored]:
    last = (await js.stream_info("REPORTS")).state.last_seq
    for seq in range(1, last + 1):
        try:
            accepted = ReportAccepted.model_validate_json((await js.get_msg("REPORTS", seq)).data or b"")
            subject = f"cases.{accepted.data.case_id}.decided"
            decided = CaseDecided.model_validate_json((await js.get_last_msg("CASES", subject)).data or b"")
        except (NotFoundError, ValueError):
            continue
        yield Stored(str(accepted.data.case_id), accepted.data.facts, decided.data.decision)
