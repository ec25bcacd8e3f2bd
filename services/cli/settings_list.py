"""`netral settings`: every setting of every process, with its value, its origin and its meaning."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import SecretStr
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from deploy.local.mailbox import MailboxSettings
from deploy.local.settings import UpSettings
from services.cli.console import printable, tables, write_json
from services.cli.web import settings_of
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings
from services.runtime.settings import Settings, config_file

PROCESSES: tuple[tuple[str, type[Settings]], ...] = (
    ("all", Settings),
    ("intake", IntakeSettings),
    ("routing", RoutingSettings),
    ("notifications", NotificationsSettings),
    ("ops", OpsSettings),
    ("up", UpSettings),
    ("mailbox", MailboxSettings),
)
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]*)(?=@)")


@dataclass(frozen=True)
class Listed:
    """One setting; `origin` is `default`, `environment` or `file`; a process `all` means every one."""

    name: str
    variable: str
    value: str | int | float | bool | None
    origin: str
    processes: tuple[str, ...]
    description: str


def settings(*, as_json: bool) -> None:
    """Show them. Raises Stop if one cannot be used."""
    listed = all_settings()
    if as_json:
        write_json([asdict(item) for item in listed])
        return
    for item in listed:
        value = "(not set)" if item.value is None else str(item.value)
        tables().print(printable(f"{item.variable} = {value}"), markup=False, style="bold")
        meaning = f"    {item.description} ({item.origin}; read by {', '.join(item.processes)})"
        tables().print(printable(meaning), markup=False)
    tables().print(f"\nThe file is {config_file()}; set NETRAL_CONFIG to name another one.", markup=False)


def all_settings() -> list[Listed]:
    """Each setting once, with all the processes that read it; twice only where two of them differ in its value."""
    found: dict[tuple[str, str], Listed] = {}
    for process, kind in PROCESSES:
        values = settings_of(kind)
        for name in kind.model_fields:
            item = _listed(name, kind, values, process)
            same = found.setdefault((name, str(item.value)), item)
            if not {"all", process} & set(same.processes):
                found[name, str(item.value)] = replace(same, processes=(*same.processes, process))
    return list(found.values())


def _listed(name: str, kind: type[Settings], values: Settings, process: str) -> Listed:
    return Listed(
        name=name,
        variable=f"NETRAL_{name.upper()}",
        value=_shown(getattr(values, name)),
        origin=_origin(name, kind),
        processes=(process,),
        description=kind.model_fields[name].description or "",
    )


def _origin(name: str, kind: type[Settings]) -> str:
    if name in EnvSettingsSource(kind)():
        return "environment"
    return "file" if name in TomlConfigSettingsSource(kind, config_file())() else "default"


def _shown(value: Any) -> str | int | float | bool | None:
    if isinstance(value, SecretStr):
        return "********"
    if value is None or isinstance(value, bool | int | float):
        return value
    return _PASSWORD_IN_URL.sub(r"\1:********", str(value))
