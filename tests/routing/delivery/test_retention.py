"""What was delivered long ago is shortened and never sent again; what is held stays whole, whatever its age."""

from pathlib import Path

from deploy.local.receivers import Receivers
from services.routing.delivery.questions import Wanted
from services.routing.delivery.queue import Told
from tests.routing.delivery.pushing import desk
from tests.routing.delivery.receiving import served


async def test_a_delivered_event_keeps_its_line_and_loses_its_body_and_attempts(tmp_path: Path) -> None:
    receivers = Receivers()
    async with served(receivers) as port, desk(tmp_path, webhook_keep_days=30) as made:
        await made.endpoint(f"http://127.0.0.1:{port}/ok")
        await made.endpoint(f"http://127.0.0.1:{port}/gone", "KPU")
        await made.tell()
        event = made.event("BKN", None, made.told)
        await made.tell("KPU")
        await made.round()
        await made.look()
        retention = made.push.keeper._retention
        made.move(days=29)
        assert await retention.look() == 0
        made.move(days=2)
        assert await retention.look() == 1
        (row,) = await made.deliveries(agency="BKN")
        assert (row["state"], row["tries"], row["outcome"]) == ("DELIVERED", 1, "200")
        assert await made.push.questions.attempts(row["delivery_id"]) == []
        assert await made.push.questions.replay(Wanted(agency="BKN"), None) == 0
        await made.push.queue.keep_all([Told(1, event)])  # the stream is read again
        await made.round()
        assert len(receivers.on("/ok")) == 1
        (held,) = await made.deliveries(agency="KPU")
        assert held["state"] == "HELD"
        assert len(await made.push.questions.attempts(held["delivery_id"])) == 1
