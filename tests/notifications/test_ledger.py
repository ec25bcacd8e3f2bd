"""The ledger finds what it looks for, however much was sent before."""

from pathlib import Path

from services.notifications.ledger import Ledger, Naming
from services.runtime.database import open_engine
from tests.bench.mails import NOW, mailed, planned, questions
from tests.plans import plans


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
