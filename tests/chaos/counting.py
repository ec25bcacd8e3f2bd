"""Our own counts after a run, beside those of `netral verify`: tickets, cases, mails, canaries, dead letters."""

import asyncio
import email
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from email import policy
from pathlib import Path
from typing import Any

from sqlalchemy import text

from contracts.topology import CONSUMERS, STREAMS
from services.notifications.core.notices import OPEN
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from services.runtime.reading import Stored, page_of
from tests.chaos.acts import insist
from tests.chaos.profile import MARK, NIP
from tests.chaos.reader import AGENCY, misheard
from tests.chaos.world import World

FILES = {"LEDGER": "notifications.db", "VAULT": "intake.db", "DELIVERIES": "deliveries.db"}
_UNDELIVERED = "state <> 'DELIVERED'"


async def settled(world: World, bus: Bus, patience: float) -> list[str]:
    """Wait until nothing waits: every durable has handled all, mails and webhooks have ended, the reader has read all.

    The agency that is called proves its address once more, as after any outage of its own: a pause may last for hours.
    """
    quiet = 0
    await insist(lambda: world.operator.prove(world.listener.endpoint_id))
    for _ in range(int(patience / 0.2)):
        waiting = await _waiting(world, bus)
        quiet = 0 if waiting else quiet + 1
        if quiet == 3:
            return []
        await asyncio.sleep(0.2)
    return [f"after {patience:.0f} s of quiet still waiting: {one}" for one in waiting]


async def _waiting(world: World, bus: Bus) -> list[str]:
    found = []
    for consumer in CONSUMERS:
        info = await bus.js.consumer_info(consumer.stream, consumer.name)
        if info.num_pending or info.num_ack_pending:
            found.append(
                f"{consumer.name} {info.num_pending} pending, {info.num_ack_pending} not acknowledged"
            )
    told = await bus.js.stream_info("TOLD", subjects_filter=f"told.{AGENCY}.>")
    unread = sum((told.state.subjects or {}).values()) - len(world.reader.heard)
    for count, what in (
        (unread, f"events for {AGENCY} unread"),
        (await _open_mails(world), "mails"),
        (
            await _count(world, "DELIVERIES", f"SELECT count(*) FROM deliveries WHERE {_UNDELIVERED}"),
            "webhooks",
        ),
        (await _unsettled(world), "reports unsettled in the vault"),
    ):
        found += [f"{count} {what}"] if count else []
    return found


async def _open_mails(world: World) -> int:
    states = ", ".join(f"'{state}'" for state in OPEN)
    return await _count(world, "LEDGER", f"SELECT count(*) FROM notices WHERE state IN ({states})")


async def _unsettled(world: World) -> int:
    """Reports of which intake died before it noted the broker's answer; it looks for them after a minute."""
    return await _count(world, "VAULT", "SELECT count(*) FROM reports WHERE state <> 'accepted'")


async def _count(world: World, name: str, query: str) -> int:
    file = world.broker.data_dir / FILES[name]
    engine = open_engine(world.addresses.get(name, f"sqlite+aiosqlite:///{file}"))
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text(query))).scalar_one())
    finally:
        await engine.dispose()


async def verified(world: World) -> list[str]:
    """What `netral verify` finds, besides the garbage that we put there ourselves."""
    env = {**world.system.env(), "NETRAL_NATS_URL": world.broker.settings.nats_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; from services.cli.main import main; sys.exit(main())", "verify", "--json",
        env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if not out:
        return [f"netral verify could not: {err.decode(errors='replace')[-500:]}"]
    found = [f for f in json.loads(out)["findings"] if f["kind"] != "unreadable"]
    unreadable = [f for f in json.loads(out)["findings"] if f["kind"] == "unreadable"]
    missing = len(world.corrupted) != len(unreadable)
    wrong = (
        [f"verify sees {len(unreadable)} unreadable messages of {len(world.corrupted)}"] if missing else []
    )
    return [f"verify: {f['kind']}: {f['subject']}: {f['says']}" for f in found] + wrong


async def counted(world: World, bus: Bus, tickets: dict[str, str], events: dict[str, str]) -> list[str]:
    """`tickets` are those accepted by key, `events` what each key told of; every broken promise as a sentence."""
    streams = {stream.name: [one async for one in _all(bus, stream.name)] for stream in STREAMS}
    return [
        *wrong_tickets(streams["REPORTS"], tickets, events, set(world.corrupted)),
        *told_twice(streams),
        *misheard(world.reader.heard, streams["TOLD"]),
        *world.listener.misheard(streams["TOLD"]),
        *_mails(world),
        *wrongly_parked(streams["PARKED"], world.corrupted),
        *_leaks(world, streams),
        *_crashes(world),
    ]


def wrong_tickets(
    stored: list[Stored], tickets: dict[str, str], events: dict[str, str], corrupted: set[str]
) -> Iterator[str]:
    """Each ticket given is one stored report, nothing else is stored, and copies share a case with nobody else."""
    cases: dict[str, str] = {}
    for one in stored:
        if one.subject.endswith(".accepted") and one.subject not in corrupted:
            data = json.loads(one.body)["data"]
            if data["ticket"] in cases:
                yield f"{data['ticket']} is stored twice"
            cases[data["ticket"]] = data["case_id"]
    if lost := set(tickets.values()) - cases.keys():
        yield f"{len(lost)} accepted tickets are not stored: {sorted(lost)[:3]}"
    if extra := cases.keys() - set(tickets.values()):
        yield f"{len(extra)} stored tickets were given to nobody: {sorted(extra)[:3]}"
    of_event = defaultdict[str, set[str]](set)
    for key, ticket in tickets.items():
        of_event[events[key]].add(cases.get(ticket, "none"))
    yield from (f"{event} is in {len(found)} cases" for event, found in of_event.items() if len(found) != 1)
    if len(set.union(*of_event.values())) != len(of_event):
        yield "two events share a case"


def told_twice(streams: dict[str, list[Stored]]) -> Iterator[str]:
    for name in ("REPORTS", "CASES", "TOLD", "NOTICES"):
        counts = Counter(one.subject for one in streams[name])
        yield from (f"{name}: {subject} holds {n}" for subject, n in counts.items() if n > 1)


def _mails(world: World) -> Iterator[str]:
    """A mail that came twice says that it may be a copy."""
    for line in world.system.logs().splitlines():
        told = _line(line) if '"mail.stored"' in line else {}
        if told.get("again"):
            mail = (world.broker.data_dir / "inbox" / told["file"]).read_text(errors="replace")
            if "X-Netral-Possible-Duplicate: yes" not in mail:
                yield f"{told['file']} came twice without saying that it may"


def _line(raw: str) -> dict[str, Any]:
    """A line of a log; nothing of one that a full disk has torn."""
    try:
        return dict(json.loads(raw))
    except ValueError:
        return {}


def wrongly_parked(stored: list[Stored], corrupted: list[str]) -> Iterator[str]:
    readers = sum(consumer.filters == ("reports.*.accepted",) for consumer in CONSUMERS)
    counts = Counter(str(one.headers.get("Netral-Subject")) for one in stored)
    for subject in corrupted:
        if counts.pop(subject, 0) != readers:
            yield f"the garbage on {subject} is not parked by each of its {readers} readers"
    for one in stored:
        if one.headers.get("Netral-Subject") in counts:
            yield f"parked: {one.subject}: {one.headers.get('Netral-Reason')}"


def _leaks(world: World, streams: dict[str, list[Stored]]) -> Iterator[str]:
    """Marks of persons outside the vault; a reporter's address stands on the reporter's own mail only."""
    folder = world.broker.data_dir
    places = {
        name: b"".join(f"{one.subject}{one.headers}".encode() + one.body for one in found)
        for name, found in streams.items()
    }
    places |= {path.name: path.read_bytes() for path in folder.rglob("*") if _is_kept(path)}
    if world.database:
        files = (world.database.folder / "data" / "base").rglob("*")
        places |= {f"database file {path.name}": path.read_bytes() for path in files if path.is_file()}
    places |= {path.name: _without_recipient(path.read_bytes()) for path in folder.glob("inbox/*.eml")}
    for place, content in places.items():
        for mark in (MARK, NIP):
            if mark.encode() in content:
                yield f"{mark} stands in {place}"


def _is_kept(path: Path) -> bool:
    return path.is_file() and path.suffix != ".eml" and "secrets" not in path.parts


def _without_recipient(raw: bytes) -> bytes:
    message: Any = email.message_from_bytes(raw, policy=policy.default)
    del message["To"], message["X-Envelope-To"]
    return bytes(message.as_bytes()) + "".join(part.get_content() for part in message.iter_parts()).encode()


def _crashes(world: World) -> Iterator[str]:
    logs = world.system.logs()
    if "Traceback" in logs:
        start = logs.index("Traceback")
        yield f"a traceback in the logs: {logs[start : start + 2000]}"
    for event, says in (
        ("process.crashed", "a process crashed"),
        ("reports.apart", "vault and stream differ"),
    ):
        yield from (f"{says}: {line}" for line in logs.splitlines() if f'"{event}"' in line)


async def _all(bus: Bus, stream: str) -> Any:
    start = 1
    while page := await page_of(bus, stream, start):
        for stored in page:
            yield stored
        start = page[-1].seq + 1
