"""Whoever exports the settings of an installation may run the tests beside it."""

import os

from tests.shell import forget_installation


def test_no_setting_of_the_shell_reaches_a_test(monkeypatch):
    monkeypatch.setenv("NETRAL_VAULT_URL", "postgresql+asyncpg://vault.example/intake")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("NETRAL_GOLDEN", "read")
    forget_installation()
    left = {name for name in os.environ if name.startswith(("NETRAL_", "OTEL_"))}
    assert left == {"NETRAL_GOLDEN"}
