"""Real connections: checked when they are made, never followed, with the name and certificate of the URL."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from deploy.local.receivers import Receivers
from services.routing.core.deliveries import Verdict
from services.routing.core.targets import Openings, Refused, opened_networks
from services.routing.delivery.network import Resolver
from services.routing.delivery.poster import Poster
from tests.ports import silent_address
from tests.routing.delivery.receiving import served

NAME = "sbt.bkn.example"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def answering(*answers: list[str]) -> Resolver:
    """A resolver whose answers change: the last one repeats. A rebinding name server does the same."""
    told = list(answers)

    async def resolve(_host: str, _port: int) -> list[str]:
        return told.pop(0) if len(told) > 1 else told[0]

    return resolve


def poster(openings: Openings, *answers: list[str], ca: Path | None = None, total: float = 20) -> Poster:
    resolve = answering(*answers) if answers else None
    return Poster(openings, lambda: NOON, ca_file=ca, resolve=resolve and (lambda _: resolve), total=total)


@asynccontextmanager
async def answering_raw(answers: Iterable[bytes]) -> AsyncIterator[str]:
    """The address of a receiver that says the next of these bytes to each request of a connection, and then no more."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            for said in answers:
                await reader.readuntil(b"}")
                writer.write(said)
            await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ok"


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
async def port(receivers: Receivers) -> AsyncIterator[int]:
    async with served(receivers) as found:
        yield found


@pytest.fixture
def trial(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def outcome(sender: Poster, url: str) -> tuple[str, str]:
    try:
        found = (await sender.post("BKN", url, {}, b"{}")).outcome
        return found.verdict.value, found.code
    finally:
        await sender.close()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/ok", ("DELIVERED", "200")),
        ("/error", ("FAILED", "500")),
        ("/gone", ("GONE", "410")),
        ("/denied", ("REFUSED", "401")),
        ("/busy", ("BUSY", "429")),
        ("/redirect", ("FAILED", "302")),
        ("/lying", ("DELIVERED", "200")),
        ("/slow", ("BUSY", "timeout")),
    ],
)
async def test_each_receiver_has_its_outcome(
    receivers: Receivers, trial: str, path: str, wanted: tuple[str, str]
) -> None:
    assert await outcome(poster(Openings(loopback=True), total=0.5), trial + path) == wanted
    assert [heard.path for heard in receivers.heard] == [path]


async def test_a_receiver_that_always_answers_soon_and_never_now_is_heard_for_a_few_kilobytes() -> None:
    """To read on for the seconds of a call would keep everything else in this process waiting."""
    async with answering_raw([b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000]) as url:
        assert await outcome(poster(Openings(loopback=True), total=2), url) == ("FAILED", "connection")


async def test_authorities_that_cannot_be_read_are_found_at_the_start_and_not_by_the_first_webhook(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(ssl.SSLError):
        poster(Openings(), ca=tmp_path / "ca.pem")


async def test_retry_after_is_read_as_seconds_or_as_a_date(trial: str) -> None:
    sender = poster(Openings(loopback=True))
    assert (await sender.post("BKN", f"{trial}/busy", {}, b"")).outcome.retry_after == 120
    await sender.close()


async def test_nobody_there_is_a_failure_of_the_receiver(port: int) -> None:
    assert await outcome(poster(Openings(loopback=True)), "http://127.0.0.1:1/") == ("FAILED", "connection")


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["224.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        [],
    ],
)
async def test_a_name_that_leads_inside_is_refused_at_registration_and_at_connection(
    receivers: Receivers, port: int, answers: list[str]
) -> None:
    shut = Openings(ports=frozenset({port}))
    with pytest.raises(Refused):
        await poster(shut, answers).check("BKN", f"https://{NAME}:{port}/ok")
    assert await outcome(poster(shut, answers), f"https://{NAME}:{port}/ok") == (Verdict.FORBIDDEN, "guard")
    assert receivers.heard == []


async def test_a_name_server_that_changes_its_answer_gains_nothing(receivers: Receivers, port: int) -> None:
    sender = poster(Openings(ports=frozenset({port})), ["8.8.8.8"], ["127.0.0.1"])
    assert await sender.check("BKN", f"https://{NAME}:{port}/ok")
    assert await outcome(sender, f"https://{NAME}:{port}/ok") == (Verdict.FORBIDDEN, "guard")
    assert receivers.heard == []


async def test_an_opened_host_still_never_leads_to_this_machine(receivers: Receivers, port: int) -> None:
    wan = Openings(opened_networks(["10.0.0.0/8"]), frozenset({NAME}), frozenset({port}))
    assert await outcome(poster(wan, ["127.0.0.1"]), f"https://{NAME}:{port}/ok") == (
        Verdict.FORBIDDEN,
        "guard",
    )
    assert receivers.heard == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/ok", "https://localhost:{port}/ok", "https://127.1/ok"]
)
async def test_a_bad_address_that_got_into_the_table_is_refused_when_it_is_used(
    receivers: Receivers, port: int, url: str
) -> None:
    assert await outcome(poster(Openings()), url.format(port=port)) == (Verdict.FORBIDDEN, "guard")
    assert receivers.heard == []


async def test_proxies_of_the_environment_are_not_used(
    receivers: Receivers, trial: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await outcome(poster(Openings(loopback=True)), f"{trial}/ok") == ("DELIVERED", "200")


async def test_the_certificate_must_be_that_of_the_name_although_an_address_is_dialled(
    receivers: Receivers, tmp_path: Path
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with served(receivers, tls) as port:
        opened = Openings(ports=frozenset({port}), loopback=True)
        good = poster(opened, ["127.0.0.1"], ca=tmp_path / "ca.pem")
        assert await outcome(good, f"https://{NAME}:{port}/ok") == ("DELIVERED", "200")
        assert receivers.heard[0].headers["host"] == f"{NAME}:{port}"
        other = poster(opened, ["127.0.0.1"], ca=tmp_path / "ca.pem")
        assert await outcome(other, f"https://other.example:{port}/ok") == ("FAILED", "tls")
        assert await outcome(poster(opened, ["127.0.0.1"]), f"https://{NAME}:{port}/ok") == ("FAILED", "tls")
    assert len(receivers.heard) == 1


async def test_a_name_server_that_hangs_holds_only_its_own_agency(receivers: Receivers, trial: str) -> None:
    async def hangs(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    ways = {"BKN": hangs, "BAWASLU": answering(["127.0.0.1"])}
    sender = Poster(Openings(loopback=True), lambda: NOON, resolve=lambda agency: ways[agency], total=5)
    stuck = [asyncio.create_task(sender.post("BKN", f"{trial}/ok", {}, b"")) for _ in range(40)]
    found = await sender.post("BAWASLU", f"{trial}/ok", {}, b"")
    assert found.outcome.code == "200"
    assert not any(task.done() for task in stuck)
    assert {(await task).outcome.code for task in stuck} == {"timeout"}
    await sender.close()


async def test_a_host_whose_first_address_is_silent_is_reached_at_its_second(
    receivers: Receivers, port: int
) -> None:
    with silent_address(port) as silent:
        sender = poster(Openings(loopback=True), [silent, "127.0.0.1"])
        assert await outcome(sender, f"http://localhost:{port}/ok") == ("DELIVERED", "200")
    assert len(receivers.heard) == 1
