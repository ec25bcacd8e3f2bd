"""The ledger finds what it looks for, however much was sent before."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from services.notifications.core.notices import State
from services.notifications.ledger import Ledger, Naming
from services.notifications.ledger_tables import notices
from services.runtime.database import open_engine
from tests.bench.mails import NOW, letters, mailed, planned, questions
from tests.plans import plans


async def test_a_claim_by_a_clock_that_ran_ahead_is_doubted_when_nobody_renewed_it_for_a_lease(
    database_url: str,
) -> None:
    """Its worker died, beside others over one database; one that lives renews its claim, by whatever clock."""
    ticks = iter((0.0, 59.0, 60.0, 61.0, 119.0, 121.0))
    ledger = Ledger(open_engine(database_url), Naming(b"a key", "netral.test"), planned, lambda: next(ticks))
    await ledger.start()
    await ledger.record(list(letters(1)), NOW)
    ahead, later = NOW + timedelta(days=40), NOW + timedelta(days=2)
    dead, alive = await ledger.claim(ahead, 2)
    found = []
    for look in range(6):
        if look == 2:
            await ledger.renew([alive], ahead + timedelta(minutes=1))
        found.append(await ledger.doubt_the_abandoned(later, timedelta()))
    assert found == [0, 0, 1, 0, 0, 1]
    rows = await ledger.read(select(notices).where(notices.c.state == State.UNKNOWN))
    assert {row["notice_id"] for row in rows} == {str(one.notice.notice_id) for one in (dead, alive)}
    await ledger.close()


async def test_no_mail_costs_more_because_others_were_sent(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}", durable=False)
    ledger = Ledger(engine, Naming(b"a key", "netral.test"), planned)
    await ledger.start()
    with plans(engine) as found:
        await mailed(ledger, range(45), NOW)
    assert (await ledger.counts())["SENT"] > 45 * 6, "letters and digests"
    by_primary_key = "SEARCH notices USING INDEX sqlite_autoindex_notices_1 (notice_id=?)"
    assert found.count(by_primary_key) > 45
    through_a_state = [
        line for line in found if line.endswith("(state=?)") or line.startswith("SCAN notices")
    ]
    assert not through_a_state
    with plans(engine) as found:
        for question in questions(ledger).values():
            await question()
    assert "SCAN notices" not in found
    await ledger.close()
