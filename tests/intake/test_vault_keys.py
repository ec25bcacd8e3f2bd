"""A vault is opened with the keys it was filled with, and with no others."""

import secrets

import httpx
import pytest
from sqlalchemy import delete

from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.intake.vault import Vault
from services.intake.vault_keys import AnotherKey
from services.intake.vault_tables import keys, reports
from services.intake.vault_writer import VaultAway
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.conftest import Broker
from tests.intake.test_vault import KEY, an_entry
from tests.running import in_process, until

RIGHT = {"vault.key": KEY, "door.key": b"d" * 32}


async def opened(url: str, given: dict[str, bytes]) -> Vault:
    vault = Vault(open_engine(url))
    await vault.start(given)
    return vault


@pytest.mark.parametrize("name", RIGHT)
async def test_a_vault_stays_closed_to_other_keys_and_opens_to_the_right_ones(
    database_url: str, name: str
) -> None:
    first = await opened(database_url, RIGHT)
    await first.keep(an_entry())
    await first.close()
    wrong = Vault(open_engine(database_url))
    with pytest.raises(AnotherKey, match=name):
        await wrong.start({**RIGHT, name: b"w" * 32})
    with pytest.raises(VaultAway):
        await wrong.keep(an_entry(2))
    with pytest.raises(VaultAway):
        await wrong.sealed(an_entry().report_id, "dossier")
    await wrong.close()
    again = await opened(database_url, RIGHT)
    assert await again.find(an_entry().report_id)
    await again.close()


async def test_a_vault_of_a_release_that_noted_no_keys_tells_by_its_reports(database_url: str) -> None:
    first = await opened(database_url, RIGHT)
    await first.keep(an_entry())
    async with first._engine.begin() as connection:
        await connection.execute(delete(keys))
    await first.close()
    with pytest.raises(AnotherKey, match=r"vault\.key"):
        await opened(database_url, {**RIGHT, "vault.key": b"w" * 32})
    again = await opened(database_url, RIGHT)
    await again.close()


async def test_a_vault_that_two_keys_filled_before_keys_were_noted_opens_and_one_whose_reports_are_erased_too(
    database_url: str,
) -> None:
    foreign = an_entry(2, key=b"w" * 32)
    for entries in ([an_entry(), foreign], [foreign]):
        first = await opened(database_url, {})
        for entry in entries:
            await first.keep(entry)
        if len(entries) == 1:
            await first.erase(foreign.report_id, "dossier")
            await first.erase(foreign.report_id, "reporter")
        await first.close()
        again = await opened(database_url, RIGHT)
        async with again._engine.begin() as connection:
            await connection.execute(delete(keys))
            await connection.execute(delete(reports))
        await again.close()


@pytest.mark.broker
async def test_a_service_with_another_key_accepts_and_opens_nothing_and_says_why(fresh_nats: Broker) -> None:
    key = fresh_nats.data_dir / "secrets" / "vault.key"
    right = key.read_text()
    async with in_process(fresh_nats) as system:
        ticket = (await system.send(a_report(), "one")).json()["ticket"]
        await system.story(ticket)

    key.write_text(secrets.token_hex(32))
    app = build_app(IntakeSettings(data_dir=fresh_nats.data_dir, nats_url=fresh_nats.settings.nats_url))
    async with app.router.lifespan_context(app):
        door = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake")

        async def refused() -> bool:
            return "another vault.key" in str((await door.get("/readyz")).json().get("reasons"))

        await until(refused)
        sent = await door.post("/v1/reports", json=a_report(), headers={"Idempotency-Key": "two"})
        assert sent.status_code == 503
        token = {"Authorization": f"Bearer {fresh_nats.settings.secret('service-token')}"}
        path = "/internal/v1/reports/00000000-0000-0000-0000-000000000000/reply-address"
        assert (await door.get(path, headers=token)).status_code == 503, "not unknown, and not erased"

    key.write_text(right)
    async with in_process(fresh_nats) as system:
        assert (await system.send(a_report(), "one")).json()["ticket"] == ticket
