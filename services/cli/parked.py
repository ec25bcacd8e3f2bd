"""`netral parked`: the dead letters, listed with their reasons and given back."""

import asyncio
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from services.cli.broker import operator
from services.cli.console import printable, tables, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.web import settings_of
from services.routing.parking import Parked, list_parked
from services.routing.parking import drop as take_out
from services.routing.parking import replay as give_back
from services.runtime.settings import Settings


def listing(*, as_json: bool) -> None:
    """Show what is parked. Raises Stop."""
    letters = asyncio.run(_all(settings_of(Settings)))
    if as_json:
        write_json([asdict(letter) for letter in letters])
    elif not letters:
        tables().print("Nothing is parked.")
    else:
        tables().print(_table(letters))


def replay(seq: int | None) -> None:
    """Give one message back, or all. Raises Stop if there is no such message."""
    given = asyncio.run(_replay(settings_of(Settings), seq))
    if seq is not None and not given:
        raise Stop(f"parked replay: no message is parked as {seq}; `netral parked` lists them", BAD_INPUT)
    tables().print(f"{given} given back." if given else "Nothing is parked.")


def drop(seq: int) -> None:
    """Take one message out of PARKED; what it is a copy of stays in its stream. Raises Stop if there is none."""
    if not asyncio.run(_drop(settings_of(Settings), seq)):
        raise Stop(f"parked drop: no message is parked as {seq}; `netral parked` lists them", BAD_INPUT)
    tables().print("Taken out; the original stays in its stream.")


async def _all(settings: Settings) -> list[Parked]:
    async with operator(settings) as js:
        return list(await list_parked(js))


async def _replay(settings: Settings, seq: int | None) -> int:
    async with operator(settings) as js:
        chosen = [letter.seq for letter in await list_parked(js) if seq in (None, letter.seq)]
        return sum([await give_back(js, number) for number in chosen])


async def _drop(settings: Settings, seq: int) -> bool:
    async with operator(settings) as js:
        return await take_out(js, seq)


def _table(letters: list[Parked]) -> Table:
    table = Table(
        "No.", "Consumer", "Subject", "Tries", "Reason", caption="Replay with: netral parked replay NO"
    )
    for letter in letters:
        cells = (letter.seq, letter.consumer, letter.subject, letter.deliveries, letter.reason)
        table.add_row(*(Text(printable(str(cell)), overflow="fold") for cell in cells))
    return table
