"""`netral settings` lists every setting with its value, its origin and its meaning, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.checks.finding import Verdict
from services.cli.checks.installation import installation
from services.cli.settings_list import PROCESSES
from tests.cli.conftest import Netral
from tests.golden import SETTINGS, settings_page


def listed(netral: Netral, name: str) -> dict[str, Any]:
    ran = netral("settings", "--json")
    assert (ran.code, ran.err) == (0, "")
    return next(item for item in json.loads(ran.out) if item["name"] == name)


def test_every_setting_of_every_process_is_listed_with_its_meaning(netral: Netral) -> None:
    found = {item["name"]: item for item in json.loads(netral("settings", "--json").out)}
    assert set(found) == {name for _, kind in PROCESSES for name in kind.model_fields}
    assert all(item["description"] for item in found.values())
    text = netral("settings").out
    assert all(f"NETRAL_{name.upper()} = " in text for name in found)


def test_a_value_tells_where_it_comes_from(
    netral: Netral, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netral.toml").write_text('log_level = "WARNING"\nintake_port = 9001\n')
    monkeypatch.setenv("NETRAL_INTAKE_PORT", "9002")
    origins = {name: listed(netral, name) for name in ("log_level", "intake_port", "routing_port")}
    assert {name: (item["value"], item["origin"]) for name, item in origins.items()} == {
        "log_level": ("WARNING", "file"),
        "intake_port": (9002, "environment"),
        "routing_port": (8081, "default"),
    }


def test_a_setting_that_several_processes_read_is_listed_once(netral: Netral) -> None:
    assert listed(netral, "smtp_port")["processes"] == ["notifications", "up", "mailbox"]
    assert listed(netral, "data_dir")["processes"] == ["all"]


def test_no_password_is_shown(netral: Netral, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRAL_SMTP_PASSWORD", "kata-sandi")
    monkeypatch.setenv("NETRAL_VAULT_URL", "postgresql+asyncpg://netral:kata-sandi@db/netral")
    assert listed(netral, "smtp_password")["value"] == "********"
    assert listed(netral, "vault_url")["value"] == "postgresql+asyncpg://netral:********@db/netral"
    assert "kata-sandi" not in netral("settings").out


def test_a_value_that_does_not_fit_is_named(netral: Netral, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRAL_NATS_REPLICAS", "many")
    ran = netral("settings")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("NETRAL_NATS_REPLICAS: ")


def test_the_page_of_settings_is_what_the_code_says() -> None:
    assert SETTINGS.read_text(encoding="utf-8") == settings_page(), "run `make schemas`"


def test_what_no_process_reads_is_said_with_what_may_be_meant(
    netral: Netral, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netral.toml").write_text("nonsense = 3\nintake_prot = 9001\nintake_port = 9002\n")
    monkeypatch.setenv("NETRAL_VALUT_URL", "sqlite:////x.db")
    monkeypatch.setenv("NETRAL_NODE_RED", "/somewhere, and no setting")
    ran = netral("settings")
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "netral.toml: no process reads 'nonsense'; take it out",
        "netral.toml: no process reads 'intake_prot'; is intake_port meant?",
        "NETRAL_VALUT_URL: no process reads it; is vault_url meant?",
    ]
    said = [(one.what, one.verdict, one.cure) for one in installation() if one.what == "settings"]
    assert said == [
        ("settings", Verdict.WARN, cure)
        for cure in ("take it out", "is intake_port meant?", "is vault_url meant?")
    ]
