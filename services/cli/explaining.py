"""`netral explain`: who is told what and why, and why nobody else, of a report or of a case of the running system."""

import asyncio
import json
from datetime import date
from pathlib import Path
from urllib.parse import quote

from nats.js.errors import NotFoundError

from contracts.events import ReportAccepted
from contracts.topology import stream_of
from services.cli.broker import operator
from services.cli.case_files import CaseFile, day_of, judge, read_case
from services.cli.casework import OPERATOR, ask
from services.cli.console import printable
from services.cli.errors import BAD_INPUT, Stop
from services.cli.law import Judges, judges
from services.cli.web import settings_of
from services.routing.core.decide import Judge
from services.routing.rules.explaining import explain as explained
from services.runtime.settings import Settings


def explain(subject: str, handled_on: str | None, progress: str | None) -> None:
    """Print the sentences. A name with a dot or a slash, an existing file and `-` are read; all else is a case."""
    if subject == "-" or "/" in subject or "." in subject or Path(subject).is_file():
        case, law = read_case(subject, handled_on, progress), judge()
    else:
        case, law = _known(subject.strip(), handled_on, progress)
    text = explained(law, case.facts, case.handled_on, case.progress)
    for line in text.splitlines():
        print(printable(line))


def _known(name: str, handled_on: str | None, progress: str | None) -> tuple[CaseFile, Judge]:
    """A case of the running system, by the law it was decided by, on the day of its decision unless another is asked."""
    if progress is not None:
        raise Stop("--progress: goes with a report file; a case has its own progress", BAD_INPUT)
    wanted = None if handled_on is None else day_of(handled_on, "--handled-on")
    story = ask(f"/v1/operator/cases/{quote(name, safe='')}", OPERATOR, what=f"case {name}")
    event, known = asyncio.run(_stored(settings_of(Settings), str(story["report_id"])))
    if event is None:
        raise Stop(f"case {name}: its report is no longer in the stream; explain the report's file instead")
    decision = story["decision"]
    decided = date.fromisoformat(decision["handled_on"]) if decision else event.time.date()
    law = known.of(decision["rulebook"]["digest"], decision["calendar"]["digest"]) if decision else judge()
    if law is None:
        raise Stop(f"case {name}: the rulebook that decided it is not in the stream; run `netral doctor`")
    return CaseFile(event.data.facts, wanted or decided, None), law


async def _stored(settings: Settings, report_id: str) -> tuple[ReportAccepted | None, Judges]:
    subject = f"reports.{report_id}.accepted"
    async with operator(settings) as js:
        known = await judges(js, judge())
        try:
            found = await js.get_last_msg(stream_of(subject), subject, direct=True)
        except NotFoundError:
            return None, known
    return ReportAccepted.model_validate(json.loads(found.data or b"")), known
