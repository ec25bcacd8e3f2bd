"""The inner door: the dossier and the reply address, each alone, with the token only."""

from uuid import uuid5

import pytest
from sqlalchemy import update

from contracts.ids import NETRAL, report_id_of
from services.intake.vault_keys import exchange
from services.intake.vault_tables import reports
from services.runtime.database import open_engine
from tests.intake.builders import a_report

TOKEN = {"Authorization": "Bearer a-service-token"}
REPORTER = {
    "kind": "VOTER",
    "name": "Warga Contoh",
    "address": "Jalan Contoh 1",
    "email": "warga@example.org",
    "phone": "0800",
}


@pytest.fixture
async def report_id(door):
    report = a_report(reporter=REPORTER, persons__0__ref="guru itu", acts__0__person="guru itu")
    sent = await door.http.post("/v1/reports", json=report)
    return report_id_of(sent.json()["ticket"])


async def test_the_dossier_is_the_report_without_the_reporter(door, report_id):
    answer = await door.http.get(f"/internal/v1/reports/{report_id}/dossier", headers=TOKEN)
    report, refs = answer.json()["report"], answer.json()["refs"]
    assert report["reporter"] == {"kind": "VOTER"}
    assert report["schema"] == "netral.report.v1"
    assert report["persons"][0]["employer"]["name"] == "Dinas Pendidikan"
    assert refs == {"p1": "guru itu"}
    assert answer.headers["cache-control"] == "no-store"


async def test_the_reply_address_is_the_address_alone(door, report_id):
    answer = await door.http.get(f"/internal/v1/reports/{report_id}/reply-address", headers=TOKEN)
    assert answer.json() == {"email": "warga@example.org"}


async def test_a_reporter_without_an_address_has_none(door):
    sent = await door.http.post("/v1/reports", json=a_report())
    report_id = report_id_of(sent.json()["ticket"])
    answer = await door.http.get(f"/internal/v1/reports/{report_id}/reply-address", headers=TOKEN)
    assert answer.json() == {"email": None}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic a-service-token"}]
)
@pytest.mark.parametrize("what", ["dossier", "reply-address"])
async def test_without_the_token_nothing_is_told(door, report_id, headers, what):
    answer = await door.http.get(f"/internal/v1/reports/{report_id}/{what}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("unknown", [str(uuid5(NETRAL, "unknown")), "no-uuid"])
async def test_an_unknown_report_is_not_here(door, unknown):
    answer = await door.http.get(f"/internal/v1/reports/{unknown}/dossier", headers=TOKEN)
    assert answer.status_code == 404


@pytest.mark.parametrize(("exchanged", "status"), [(False, 404), (True, 503)])
async def test_what_another_key_sealed_meanwhile_is_not_called_erased(
    door, report_id, vault_url, exchanged, status
):
    """Mail for a reporter ends for good where the address is said to be erased."""
    engine = open_engine(vault_url)
    async with engine.begin() as connection:
        await connection.execute(update(reports).values(reporter_key=b"an envelope of another key"))
        if exchanged:
            await exchange(connection, "vault.key", b"n" * 32)
    await engine.dispose()
    answer = await door.http.get(f"/internal/v1/reports/{report_id}/reply-address", headers=TOKEN)
    assert answer.status_code == status
    assert ("vault.key" in (await door.http.get("/readyz")).text) == exchanged
