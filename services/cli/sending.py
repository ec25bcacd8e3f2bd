"""`netral send`: reports from files to the intake door, resumable, with a summary."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.console import complain, tables, write_json
from services.cli.delivery import Outcome, Result, deliver
from services.cli.errors import BAD_INPUT, TROUBLE
from services.cli.journal import Journal
from services.cli.sources import JOURNAL_ENDING, Item, items_of
from services.cli.web import address, base_url, settings_of
from services.intake.settings import IntakeSettings


def send(
    source: str, *, url: str | None, concurrency: int, journal: str | None, patience: float, as_json: bool
) -> int:
    """Submit all reports of `source`; 0 if all are accepted, 2 if some were refused, 1 if some failed."""
    settings = settings_of(IntakeSettings)
    door = base_url(url or address(settings.intake_host, settings.intake_port))
    items = items_of(source)
    with Journal(_journal_path(source, journal, settings.data_dir)) as book:
        known = book.accepted(str(door))
        todo = [item for item in items if item.key not in known]
        results = [Result(item, Outcome.KNOWN) for item in items if item.key in known]
        coming = deliver(todo, door, concurrency=concurrency, patience=patience, say=complain)
        results += asyncio.run(_noted(coming, len(todo), book, str(door)))
    _report(results, book.path, as_json=as_json)
    outcomes = {result.outcome for result in results}
    return TROUBLE if Outcome.FAILED in outcomes else BAD_INPUT if Outcome.REFUSED in outcomes else 0


async def _noted(coming: AsyncIterator[Result], total: int, book: Journal, url: str) -> list[Result]:
    results = []
    with _bar() as bar:
        task = bar.add_task("Sending", total=total)
        async for result in coming:
            if result.outcome is Outcome.ACCEPTED:
                book.add(_entry(result, url))
            results.append(result)
            bar.advance(task)
    return results


def _entry(result: Result, url: str) -> dict[str, str]:
    item: Item = result.item
    return {
        "key": item.key,
        "report": item.name,
        "url": url,
        "ticket": result.ticket,
        "receipt": result.receipt,
    }


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def _journal_path(source: str, given: str | None, data_dir: Path) -> Path:
    if given:
        return Path(given)
    if source == "-":
        data_dir.mkdir(parents=True, exist_ok=True)
        return data_dir / f"stdin{JOURNAL_ENDING}"
    path = Path(source).resolve()
    return path.with_name(path.name + JOURNAL_ENDING)


def _report(results: list[Result], journal: Path, *, as_json: bool) -> None:
    counts = Counter(result.outcome for result in results)
    troubled = [result for result in results if result.outcome in (Outcome.REFUSED, Outcome.FAILED)]
    if as_json:
        write_json(
            {
                **{outcome.replace(" ", "_"): counts[outcome] for outcome in Outcome},
                "journal": str(journal),
                "troubles": [_trouble(result) for result in troubled],
            }
        )
        return
    _complain(troubled)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    tables().print(f"{summary or 'nothing to send'}.", markup=False)
    if counts[Outcome.ACCEPTED]:
        tables().print(f"Tickets and receipts: {journal}", markup=False)


def _complain(troubled: list[Result]) -> None:
    """Every fault of every refused report, but each cause of failure once: a door that is away fails them all."""
    for result in troubled:
        if result.outcome is Outcome.REFUSED:
            for cause in result.causes:
                complain(f"{result.item.name}: refused: {cause}")
    failed = Counter(
        cause for result in troubled if result.outcome is Outcome.FAILED for cause in result.causes
    )
    for cause, count in failed.items():
        names = [result.item.name for result in troubled if cause in result.causes]
        others = f" and {count - 1} more" if count > 1 else ""
        complain(f"{names[0]}{others}: failed: {cause}; send the same again when it is well")


def _trouble(result: Result) -> dict[str, object]:
    return {"report": result.item.name, "outcome": result.outcome, "causes": result.causes}
