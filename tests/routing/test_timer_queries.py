"""What is asked about the limits of one case is found by the case."""

from pathlib import Path

from services.routing.timer_queries import TimerQueries
from services.routing.views import Views
from services.runtime.database import open_engine
from tests.plans import plans


async def test_the_limits_of_a_case_are_found_without_going_through_those_of_others(tmp_path: Path) -> None:
    views = Views(open_engine(f"sqlite+aiosqlite:///{tmp_path / 'views.db'}"))
    await views.open()
    with plans(views.engine) as found:
        assert await TimerQueries(views.engine).running("a case") == (-1, [])
    assert [line for line in found if " timers " in line]
    assert all("(case_id=?)" in line for line in found), found
    await views.engine.dispose()
