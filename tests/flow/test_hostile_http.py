"""What strangers do to a public door costs them more than it costs us."""

import asyncio

import httpx
import pytest

from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Processes, in_process, until

pytestmark = pytest.mark.broker


async def test_endless_headers_are_cut_off_and_a_foreign_host_gets_no_redirect(fresh_nats: Broker) -> None:
    system = Processes(fresh_nats)
    try:
        system.start("intake")
        await system.ready("intake")
        _, writer = await asyncio.open_connection("127.0.0.1", system.ports["intake"])
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        with pytest.raises(ConnectionError):
            await _pour(writer)
        async with httpx.AsyncClient() as http:
            answer = await http.get(system.url("intake") + "/v1/reports/", headers={"Host": "evil.example"})
            assert answer.status_code in (404, 405)
            assert "evil" not in str(answer.headers)
            packed = await http.post(
                system.url("intake") + "/v1/reports",
                content=b"\x1f\x8b",
                headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
            )
            assert packed.status_code == 415
    finally:
        system.stop()


async def test_a_reporter_sees_that_the_report_went_on(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats) as system:
        accepted = (await system.send(a_report(), "k1")).json()
        await system.story(accepted["ticket"])
        path, headers = f"/v1/reports/{accepted['ticket']}", {"Netral-Receipt": accepted["receipt"]}

        async def routed() -> bool:
            return (await system.intake.get(path, headers=headers)).json()["state"] == "ROUTED"

        await until(routed)


async def _pour(writer: asyncio.StreamWriter) -> None:
    """Ten megabytes of one header."""
    for _ in range(1000):
        writer.write(b"a" * 10_000)
        await writer.drain()
        await asyncio.sleep(0)
