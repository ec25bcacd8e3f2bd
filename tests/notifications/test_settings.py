import pytest

from services.notifications.settings import NotificationsSettings
from services.runtime.settings import BadSettings, load


def test_everything_has_a_default_that_works_on_one_machine():
    settings = NotificationsSettings()
    assert settings.public_address == settings.intake_address == "http://127.0.0.1:8080"
    assert settings.agency_address == "http://127.0.0.1:8081"
    assert settings.ledger_address.endswith("/data/notifications.db")
    assert settings.smtp_is_local


def test_the_addresses_follow_the_ports():
    settings = NotificationsSettings(intake_port=9000, agency_url="https://netral.example.go.id/")
    assert settings.intake_address == "http://127.0.0.1:9000"
    assert settings.agency_address == "https://netral.example.go.id"


def test_a_password_never_travels_unprotected():
    with pytest.raises(BadSettings, match=r"NETRAL_SMTP_TLS: .*unprotected; write required"):
        load(NotificationsSettings, smtp_host="mail.example.go.id", smtp_user="netral")
    load(NotificationsSettings, smtp_host="mail.example.go.id", smtp_user="netral", smtp_tls="required")


def test_a_password_is_not_shown():
    assert "geheim" not in repr(NotificationsSettings(smtp_password="geheim"))
