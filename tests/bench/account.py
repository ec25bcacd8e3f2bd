"""Where the time of a report goes at the door: the bare grouping door, ours, and the steps of ours that are plain functions.

`python -m tests.bench.account [--keep]`. With `--keep` the figures become a section of docs/performance.md.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from contracts.door import read_json, read_report
from contracts.ids import receipt_for, ticket_for
from services.intake.answers import AFTER_REPORTING, ReportAnswer
from services.intake.core.acceptance import Acceptance, accept, zone_at
from services.intake.doors import answer
from services.intake.sealing import Sealer
from services.runtime.bus import Bus
from services.runtime.process import collect_seldom
from tests.bench import doors, limits, machine, ours
from tests.bench.load import body, run_names
from tests.bench.page import put
from tests.conftest import Broker
from tests.ports import free_port
from tests.running import Processes, until
from tests.shell import forget_installation

ROUNDS, EACH = 5, 1500
GOAL = 0.7
"""Of the bare door's speed (the goal of the page)."""
KEY, NOW = b"k" * 32, datetime(2026, 11, 24, 3, tzinfo=UTC)
BARE, OURS = "bare grouping door, all of it", "our door, all of it"
HTTP = "HTTP, with its metrics and its line in the log"


def steps(name: str) -> Iterator[tuple[str, float]]:
    """What our door does with a report besides storing and speaking: milliseconds of CPU for one, each step by itself."""
    sealer, raws = Sealer(KEY), [body(f"{name} {number}") for number in range(EACH)]
    documents, spent = _timed(read_json, raws)
    reports, more = _timed(lambda one: read_report(one, NOW.astimezone(zone_at(one)).date()), documents)
    yield "read and checked, every field", spent + more
    numbered = list(enumerate(reports))
    accepted, spent = _timed(
        lambda one: accept(one[1], ticket_for(KEY, f"{name}-{one[0]}"), NOW, KEY), numbered
    )
    yield "ticket, ids, facts and the case of exact copies derived", spent
    yield (
        "sealed under two keys of its own, and written as JSON",
        _timed(lambda one: _sealed(sealer, one), accepted)[1],
    )
    yield "receipt and answer", _timed(_answered, accepted)[1]


def _timed(work: Callable[[Any], Any], items: list[Any]) -> tuple[list[Any], float]:
    began = time.thread_time()
    done = [work(item) for item in items]
    return done, 1000 * (time.thread_time() - began) / len(items)


def _sealed(sealer: Sealer, one: Acceptance) -> object:
    report_id = one.event.data.report_id
    parts = [sealer.seal(report_id, "dossier", one.dossier), sealer.seal(report_id, "reporter", one.reporter)]
    return parts, one.event.model_dump_json(by_alias=True)


def _answered(one: Acceptance) -> object:
    data, where = one.event.data, f"/v1/reports/{one.event.data.ticket}"
    receipt = receipt_for(KEY, data.report_id)
    told = ReportAnswer(
        ticket=data.ticket, receipt=receipt, received_at=NOW, status_url=where, next=AFTER_REPORTING
    )
    return answer(202, told, {"Location": where})


async def refused(url: str, count: int) -> None:
    """Requests as large as a report that our door refuses by their headers: what it spends on HTTP alone."""
    where = urlsplit(url)
    content = body("refused")
    head = f"POST /v1/reports HTTP/1.1\r\nHost: door\r\nContent-Type: text/plain\r\nContent-Length: {len(content)}\r\n\r\n"
    sent, left = head.encode() + content, iter(range(count))

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for _ in left:
            writer.write(sent)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert b" 415 " in answer
            await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(one_after_another() for _ in range(ours.CONNECTIONS)))


async def measured(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """CPU milliseconds a report, and reports a second, of both doors; medians of rounds in turns."""
    broker, runs = Broker(folder), run_names()
    await asyncio.to_thread(broker.start)
    system, port = Processes(broker, anew=True), free_port()
    bare = doors.opened("grouped", port, broker.settings, "none")
    bus = await Bus.connect(broker.settings, "operator")
    try:
        await limits.prepare(bus.js)
        system.start("intake")
        await system.ready("intake")
        places = {BARE: (f"http://127.0.0.1:{port}", bare.pid)}
        places[OURS] = (system.url("intake"), system.running["intake"].pid)
        spent, speeds = ({name: list[float]() for name in (HTTP, *places)} for _ in range(2))
        for url, _ in places.values():
            await until(lambda url=url: ours.answers(url))  # type: ignore[misc]
            await ours.door(url, next(runs), 200)
        for _ in range(ROUNDS):
            for name, (url, pid) in places.items():
                await ours.drained(bus.js, ("intake",))
                before = machine.cpu(pid)
                speeds[name].append((await ours.door(url, next(runs), EACH))[0])
                spent[name].append(1000 * (machine.cpu(pid) - before) / EACH)
            before = machine.cpu(places[OURS][1])
            await refused(places[OURS][0], EACH)
            spent[HTTP].append(1000 * (machine.cpu(places[OURS][1]) - before) / EACH)
    finally:
        await bus.close()
        bare.terminate()
        system.stop()
        broker.stop()
    middle = statistics.median
    return {n: middle(v) for n, v in spent.items()}, {n: middle(v) for n, v in speeds.items() if v}


def section(plain: dict[str, float], spent: dict[str, float], speeds: dict[str, float]) -> str:
    """What the page says of it."""
    allowed, alone = 1000 / (GOAL * speeds[BARE]), sum(plain.values())
    rest = "the vault's commit, the publish, and what all of it costs more when it takes turns"
    known = {**plain, HTTP: spent[HTTP]}
    rows = {**known, rest: spent[OURS] - sum(known.values()), OURS: spent[OURS], BARE: spent[BARE]}
    return "\n".join(
        [
            f"Milliseconds of CPU for one report of 1.5 kB, medians of {ROUNDS} rounds of {EACH:,}. The first four are our "
            "own functions by themselves, with nothing else on the core; the fifth is of requests that are refused by their "
            "headers; the doors are processes under load, in turns, beside load and broker.",
            "",
            "| a report | CPU | of our door |",
            "| --- | --- | --- |",
            *(f"| {name} | {value:.3f} ms | {value / spent[OURS]:.2f} |" for name, value in rows.items()),
            "",
            f"The goal of {GOAL} of the bare door ({speeds[BARE]:,.0f}/s here) leaves a process on one core {allowed:.2f} "
            f"ms for everything. What must be done with a report before anything is stored takes {alone:.2f} of them; the "
            f"bare door, which does none of it and keeps no vault, {spent[BARE]:.2f}.",
        ]
    )


def main() -> None:
    """Print the figures."""
    collect_seldom()
    rounds = [dict(steps(f"round {number}")) for number in range(ROUNDS)]
    plain = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    with tempfile.TemporaryDirectory() as folder:
        found = section(plain, *uvloop.run(measured(Path(folder))))
    print(f"\n{found}")
    if "--keep" in sys.argv:
        put("A report at the door", found)


if __name__ == "__main__":
    forget_installation()
    main()
