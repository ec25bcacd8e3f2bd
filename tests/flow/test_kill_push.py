"""kill -9 of the worker between a call and its record: nothing is lost, and what comes twice has the same webhook-id."""

import json
from collections import Counter
from typing import Any

import httpx
import pytest

from deploy.local.receivers import Receivers
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.delivery.receiving import served
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.thorough, pytest.mark.timeout(240)]
REPORTS = 20


async def test_a_killed_worker_loses_no_delivery_and_repeats_under_the_same_id(
    fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_WEBHOOK_UNSAFE_LOOPBACK", "true")
    system, receivers = Processes(fresh_nats), Receivers()
    for name in ("intake", "routing"):
        system.start(name)
        await system.ready(name)
    key = json.loads(fresh_nats.settings.secret("agency-keys.json"))["OPERATOR"]
    auth = {"Authorization": f"Bearer {key}"}
    try:
        async with served(receivers) as port, httpx.AsyncClient(timeout=20, headers=auth) as http:
            operator = system.url("routing") + "/v1/operator"
            body = {"agency": "BKN", "url": f"http://127.0.0.1:{port}/slow?seconds=0.3"}
            made = (await http.post(f"{operator}/webhooks", json=body)).json()
            proved = await http.post(f"{operator}/webhooks/{made['endpoint_id']}/prove")
            assert proved.status_code == 200, proved.text
            for number in range(REPORTS):
                sent = await http.post(
                    system.url("intake") + "/v1/reports",
                    json=a_report(person__name=f"Orang {number}"),
                    headers={"Idempotency-Key": f"push-{number}"},
                )
                assert sent.status_code == 202
            for heard in (3, 12):

                async def reached(wanted: int = heard) -> bool:
                    return len(receivers.on("/slow")) >= wanted

                await until(reached)
                system.kill("routing")
                system.start("routing")
                await system.ready("routing")

            async def delivered() -> Any:
                page = (await http.get(f"{operator}/deliveries?limit=200")).json()["deliveries"]
                done = [row for row in page if row["state"] == "DELIVERED"]
                return page if len(page) == len(done) == REPORTS else None

            page = await until(delivered, 90)
    finally:
        system.stop()
    came = Counter(heard.message_id for heard in receivers.on("/slow"))
    assert set(came) == {row["delivery_id"] for row in page}
    assert max(came.values()) <= 3, "one more for each death"
    assert len({row["case_id"] for row in page}) == REPORTS
