"""`netral agencies` against the real routing service: the directory and the keys as an operator keeps them."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from services.routing.app import build_app
from services.routing.settings import RoutingSettings
from tests.cli.conftest import Netral
from tests.cli.test_operating import until
from tests.conftest import Broker
from tests.ports import free_port
from tests.routing.agencies.test_csv_file import a_file

pytestmark = pytest.mark.broker


@pytest.fixture
def operated(netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Netral]:
    """`netral` beside a routing service that is ready."""
    port, given = free_port(), fresh_nats.settings
    monkeypatch.setenv("NETRAL_DATA_DIR", str(given.data_dir))
    monkeypatch.setenv("NETRAL_NATS_URL", given.nats_url)
    monkeypatch.setenv("NETRAL_ROUTING_PORT", str(port))
    settings = RoutingSettings(data_dir=given.data_dir, nats_url=given.nats_url, routing_port=port)
    server = uvicorn.Server(uvicorn.Config(build_app(settings), port=port, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: netral("agencies", "list").code == 0)
    yield netral
    server.should_exit = True
    thread.join()


def test_the_directory_is_listed_shown_loaded_and_an_office_retired(operated: Netral, tmp_path: Path) -> None:
    assert "Bawaslu Kabupaten Banyuasin" in operated("agencies", "list", "bawaslu").out
    assert "KASN" not in operated("agencies", "list", "--on", "2024-08-24").out
    assert "successor: BKN" in operated("agencies", "show", "KASN").out
    file = tmp_path / "offices.csv"
    file.write_bytes(a_file({"duty_address": "baru@banyuasin.example"}))
    told = operated("agencies", "load", file, "--dry-run")
    assert "CHANGED BAWASLU/kabkota:16.07" in told.out
    assert "1 offices read, 1 would change" in told.out
    assert operated("agencies", "load", file).code == 0
    assert "baru@banyuasin.example" in operated("agencies", "show", "BAWASLU/kabkota:16.07").out
    retired = operated("agencies", "retire", "BAWASLU/kabkota:16.07", "--last-day", "2030-01-31")
    assert retired.code == 0
    found = json.loads(operated("agencies", "show", "BAWASLU/kabkota:16.07", "--json").out)
    assert found["terms"][-1]["valid_until"] == "2030-01-31"


def test_a_file_with_mistakes_names_each_by_line_and_column(operated: Netral, tmp_path: Path) -> None:
    file = tmp_path / "offices.csv"
    file.write_bytes(a_file({"zone": "GMT"}, {"agency": "BAWASLOE", "office": "pusat", "level": "PUSAT"}))
    ran = operated("agencies", "load", file)
    assert ran.code == 2
    assert ran.err.splitlines() == [
        f"{file}: line 2, column zone: 'GMT' is not known here; write one of WIB, WITA, WIT",
        f"{file}: line 3, column agency: 'BAWASLOE' is not known here; did you mean BAWASLU?",
    ]


def test_a_key_is_issued_rotated_revoked_and_listed_without_itself(operated: Netral) -> None:
    made = operated("agencies", "keys", "issue", "BKN", "--scope", "read", "--days", "30")
    key = made.out.strip()
    assert key.startswith("ntr_")
    assert "only time" in made.err
    listed = operated("agencies", "keys", "list", "BKN").out
    assert key[:12] in listed
    assert key not in listed
    new = operated("agencies", "keys", "rotate", key[:12], "--overlap", "1").out.strip()
    assert new != key
    assert operated("agencies", "keys", "revoke", key[:12]).code == 0
    states = {
        k["prefix"]: k["valid"]
        for k in json.loads(operated("agencies", "keys", "list", "--json").out)["keys"]
    }
    assert (states[key[:12]], states[new[:12]]) == (False, True)
    assert operated("agencies", "keys", "revoke", "ntr_nobodys").code == 2
    assert operated("agencies", "keys", "issue", "BKN", "--scope", "manage").code == 2


def test_the_secret_gains_a_key_for_an_agency_it_lacks(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "data")
    path = tmp_path / "data" / "secrets" / "agency-keys.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps({name: key for name, key in before.items() if name != "KPU"}))
    Broker(broker.data_dir)
    after = json.loads(path.read_text())
    assert {name: key for name, key in after.items() if name != "KPU"} == {
        name: key for name, key in before.items() if name != "KPU"
    }
    assert after["KPU"] != before["KPU"]
