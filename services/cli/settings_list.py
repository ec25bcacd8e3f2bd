"""`netral settings`: every setting of every process, with its value, its origin and its meaning."""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from deploy.local.mailbox import MailboxSettings
from deploy.local.settings import UpSettings
from services.cli.console import complain, printable, tables, write_json
from services.cli.web import settings_of
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings
from services.runtime.addresses import without_password
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
_LIKE = 0.8
"""From here on a variable that nobody reads is taken for a setting that was meant."""


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
    for sentence in unread():
        complain(printable(sentence))
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


def unread() -> Iterator[str]:
    """What stands in the file, or nearly as a setting in the environment, and no process reads: sentences with the cure."""
    known = sorted({name for _, kind in PROCESSES for name in kind.model_fields})
    file = config_file()
    for name in tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else ():
        if name not in known:
            yield f"{file}: no process reads {name[:60]!r}; {_meant(name, known) or 'take it out'}"
    for variable in sorted(os.environ):
        name = variable.removeprefix("NETRAL_").lower()
        meant = _meant(name, known) if name != variable.lower() and name not in {*known, "config"} else ""
        if meant:
            yield f"NETRAL_{name.upper()}: no process reads it; {meant}"


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=_LIKE)
    return f"is {close[0]} meant?" if close else ""


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
    return without_password(str(value))
