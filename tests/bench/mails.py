"""What a mail costs beside a thousand others and beside a million, and how soon an operator's questions are answered.

`python -m tests.bench.mails [--mails 1000 100000 1000000] [--postgres] [--keep]`; a million take 2 GB in TMPDIR. With
`--keep` the figures become a section of docs/performance.md.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.codes import Agency, Role
from contracts.events import Audience, NoticeStep
from contracts.ids import derived_id, report_id_of
from services.notifications import desk
from services.notifications.core.manners import When
from services.notifications.core.notices import Duty, Facts, Notice, State, notice_id
from services.notifications.core.retries import Step
from services.notifications.digests import gather
from services.notifications.ledger import Ledger, Naming
from services.notifications.ledger_tables import notices
from services.runtime.database import open_engine
from tests.bench import machine
from tests.bench.page import put
from tests.bench.scale import Question, Scale, addresses, asked, repeated, section

NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)
A_MAIL = 2_000
"""Bytes it takes in the ledger, and a little more."""
BLOCK, DAYS, ROUNDS, EACH = 160, 8, 11, 40
"""Different cases, days on which they come; then rounds of so many cases more."""
OFFICES = (Agency.BAWASLU, Agency.BKN, Agency.KEMENPANRB, Agency.KEMENDAGRI)
DAILY = Agency.KEMENDAGRI
"""Whose offices chose one digest a day."""
_RENAMED = {
    "notice_id": "CAST(:block AS VARCHAR) || substr(notice_id, 9)",
    "case_id": "CAST(:block AS VARCHAR) || substr(case_id, 9)",
    "report_id": "CAST(:block AS VARCHAR) || substr(report_id, 9)",
    "message_id": "CAST(:block AS VARCHAR) || message_id",
    "root": "CASE step WHEN 'DIGEST' THEN root ELSE CAST(:block AS VARCHAR) || root END",
    "reader": "CASE audience WHEN 'REPORTER' THEN CAST(:block AS VARCHAR) || reader ELSE reader END",
    "gathered_in": "CAST(:block AS VARCHAR) || substr(gathered_in, 9)",
}
"""How the ids of one block become those of another; offices stay what they are."""


def planned(notice: Notice, now: datetime, recent: int) -> When:
    """At once, or in the digest of the next hour."""
    at = now + timedelta(hours=1)
    return When(at, f"daily/{at.isoformat()}") if notice.agency is DAILY else When(now)


def letters(number: int) -> Iterator[Notice]:
    """What is mailed of one case: two letters to its reporter, one to each office."""
    ticket = f"NTR-{number:016}"
    report = report_id_of(ticket)
    case, office = derived_id(report, "case"), f"kabkota:{number % 20}"
    facts = Facts(ticket=ticket, region="kemendagri:52.04", received_at=NOW)
    for place, step in enumerate((NoticeStep.RECEIVED, NoticeStep.ROUTED)):
        yield _notice(notice_id(report, step), case, report, step, Audience.REPORTER, place, facts)
    duty = Duty(role=Role.ACTION, basis=("UU 20/2023 66",), deadline=None)
    for agency in OFFICES:
        mine, step = notice_id(case, NoticeStep.OFFERED, agency, office), NoticeStep.OFFERED
        offered = facts.model_copy(update={"duties": (duty,), "letter": "offered"})
        yield _notice(mine, case, report, step, Audience.AGENCY, 0, offered, agency, office)


def _notice(
    mine: UUID,
    case: UUID,
    report: UUID,
    step: NoticeStep,
    audience: Audience,
    place: int,
    facts: Facts,
    agency: Agency | None = None,
    office: str | None = None,
) -> Notice:
    return Notice(
        notice_id=mine,
        case_id=case,
        report_id=report,
        step=step,
        audience=audience,
        agency=agency,
        office=office,
        place=place,
        facts=facts,
    )


async def mailed(ledger: Ledger, numbers: range, now: datetime) -> None:
    """Everything about these cases is recorded, gathered, sent and told, as the service does it."""
    for number in numbers:
        await ledger.record(list(letters(number)), now)
    later = now + timedelta(hours=2)
    await gather(ledger, later, "1")
    while claims := await ledger.claim(later, 4):
        for claim in claims:
            await ledger.finish(claim, Step(State.SENT, "2xx"), later)
        await ledger.mark_told(await ledger.untold(500))


async def filled(address: str, mails: int) -> Ledger:
    """A ledger of about so many mails; all have been sent and told."""
    ledger = Ledger(open_engine(address, durable=False), Naming(b"a key", "bench.test"), planned)
    await ledger.start()
    began, each = time.perf_counter(), BLOCK // DAYS
    for day in range(DAYS):
        await mailed(ledger, range(day * each, (day + 1) * each), NOW - timedelta(days=30 + day))
    made = sum((await ledger.counts()).values())
    await repeated(ledger.engine, [notices], max(1, round(mails / made)), _RENAMED, "notice_id >= '0001'")
    await ledger.engine.dispose()
    print(f"{sum((await ledger.counts()).values()):,} mails, filled in {time.perf_counter() - began:.0f} s")
    return ledger


def questions(ledger: Ledger) -> dict[str, Question]:
    """What an operator asks, and what the service asks itself all the time."""
    ticket = f"NTR-{0:016}"
    first = str(notice_id(report_id_of(ticket), NoticeStep.RECEIVED))[:8]
    return {
        "list": lambda: desk.listing(ledger),
        "list, sent": lambda: desk.listing(ledger, states=(State.SENT,)),
        "list, trouble": lambda: desk.listing(ledger, states=desk.TROUBLED),
        "list, one agency": lambda: desk.listing(ledger, agency="BKN"),
        "list, one ticket": lambda: desk.listing(ledger, case=ticket),
        "one, by its first letters": lambda: desk.one(ledger, first),
        "how many in each state": ledger.counts,
        "what is due": lambda: ledger.claim(NOW, 4),
        "what is to be gathered": lambda: gather(ledger, NOW, "1"),
        "what nobody was told of": lambda: ledger.untold(500),
        "what was left by a dead process": lambda: ledger.doubt_the_abandoned(NOW, timedelta(minutes=1)),
    }


async def more(ledgers: list[Ledger], scales: list[Scale]) -> None:
    """The same new mails beside all that each ledger holds, in turns, so that a busy moment meets all of them."""
    for number in range(ROUNDS):
        cases = range(10**6 + number * EACH, 10**6 + (number + 1) * EACH)
        for ledger, scale in zip(ledgers, scales, strict=True):
            began = time.process_time()
            await mailed(ledger, cases, NOW + timedelta(days=number))
            scale.costs.append((time.process_time() - began) / (EACH * 6))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write a section of docs/performance.md")
    given = parser.parse_args()
    sizes = [mails for mails in given.mails if machine.has_room(f"{mails:,} mails", mails * A_MAIL)]
    scales = [Scale(mails, "mails") for mails in sizes]
    async with addresses(postgres=given.postgres) as address:
        ledgers = [await filled(address(), mails) for mails in sizes]
        for ledger, scale in zip(ledgers, scales, strict=True):
            await asked(ledger.engine, scale, questions(ledger))
        await more(ledgers, scales)
        for ledger in ledgers:
            await ledger.close()
    database = "PostgreSQL" if given.postgres else "SQLite"
    intro = f"What operators ask of a ledger in {database}, and what notifications asks it all the time"
    found = section(scales, intro, "to record, gather, send and tell a mail")
    print(f"\n{found}")
    if given.keep:
        put("Many mails", found)
    raise SystemExit(not all(scale.good for scale in scales))


if __name__ == "__main__":
    asyncio.run(main())
