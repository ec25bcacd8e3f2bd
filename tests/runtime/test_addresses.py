"""An address that is none is refused when a process starts, in one sentence with the cure."""

import pytest

from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings
from services.runtime.settings import BadSettings, Settings, load

WEB = ["https://lapor.example/pintu", "http://127.0.0.1:8080/", "http://[::1]:8080", ""]
NO_WEB = [
    "foo",
    "lapor.example",
    "://",
    "http://",
    "http://[",
    "nats://h",
    "http://h:port",
    "http://h:0",
    "http://a b",
]


@pytest.mark.parametrize("given", WEB)
def test_a_web_server_is_reached_by_its_address(given: str) -> None:
    assert NotificationsSettings(public_url=given).public_url == given


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RoutingSettings, "intake_url"),
        (RoutingSettings, "routing_public_url"),
        (NotificationsSettings, "unsubscribe_url"),
        (NotificationsSettings, "agency_url"),
        (OpsSettings, "monitor_url"),
    ],
)
@pytest.mark.parametrize("given", NO_WEB)
def test_no_address_of_a_web_server_is_refused(
    kind: type[Settings], name: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NETRAL_{name.upper()}", given)
    says = rf"^NETRAL_{name.upper()}: .*is no address of a web server; write https://host or http://host:8080;.*$"
    with pytest.raises(BadSettings, match=says):
        load(kind)


@pytest.mark.parametrize(
    "given", ["nats://h", "h:4222", "tls://u:p@h:4222", "nats://a:4222,nats://b:4222, c", "nats://[::1]:4222"]
)
def test_a_broker_is_reached_by_the_addresses_of_its_servers(given: str) -> None:
    assert Settings(nats_url=given).nats_url == given


@pytest.mark.parametrize(
    "given", ["", "nats://", "http://h", "nats://h:port", "nats://a b", "nats://a,", "nats://["]
)
def test_no_address_of_a_broker_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRAL_NATS_URL", given)
    with pytest.raises(
        BadSettings, match=r"^NETRAL_NATS_URL: .*is no address of a NATS server; write nats://host:4222"
    ):
        load(Settings)


def test_of_several_monitors_each_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRAL_MONITOR_URL", "http://a:8222, http://b:8222")
    assert load(OpsSettings).monitor_url == "http://a:8222, http://b:8222"
    monkeypatch.setenv("NETRAL_MONITOR_URL", "http://a:8222,b")
    with pytest.raises(BadSettings, match="NETRAL_MONITOR_URL"):
        load(OpsSettings)


def test_a_password_in_an_address_is_shown_to_nobody() -> None:
    settings = Settings(nats_url="nats://netral:rahasia@a:4222,tls://netral:rahasia@b:4222")
    assert settings.broker_shown == "nats://netral:********@a:4222,tls://netral:********@b:4222"


def test_a_door_that_listens_on_ipv6_is_named_by_an_address_that_can_be_asked() -> None:
    intake = IntakeSettings(intake_host="::1", intake_port=8080)
    assert intake.public_address == "http://[::1]:8080"
    assert RoutingSettings(routing_host="::1", routing_port=8081).public_address == "http://[::1]:8081"
    assert IntakeSettings(intake_port=8080).public_address == "http://127.0.0.1:8080"
