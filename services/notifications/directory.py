"""The duty directory: which mailbox an office of an agency reads, and how often it wants mail. A TOML file, or one pattern.

domain = "duty.example.go.id"      # <agency>.<office>@domain for whoever is not listed; leave out for nobody

[BAWASLU]
"kabkota:52.04" = "piket@sumbawa.example.go.id"
"prov:52" = {mail = "piket@ntb.example.go.id", digest = "daily", quiet = "20.00-06.00"}
"*" = "piket@bawaslu.example.go.id"   # every other office, and an office that is not known

`digest` is immediately, hourly or daily (08.00 by the office's clock); a duty to act and a passed limit never wait.
"""

import re
import tomllib
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

from contracts.codes import Agency
from services.notifications.core.addresses import mailbox
from services.notifications.core.manners import Manner, Pace
from services.runtime.settings import BadSettings

EXAMPLE_DOMAIN = "duty.netral.invalid"
_HOURS = re.compile(r"([01]\d|2[0-3])\.([0-5]\d)-([01]\d|2[0-3])\.([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """An office's mailbox and manner."""

    mail: str
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True)
class Directory:
    """Entries by agency and office (`*`: any), and the domain of the pattern for all others."""

    domain: str | None = EXAMPLE_DOMAIN
    listed: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def address_of(self, agency: Agency, office: str | None) -> str | None:
        """The duty address of an office, or None if the directory has none."""
        entry = self._entry(agency, office)
        if entry:
            return entry.mail
        if self.domain is None:
            return None
        return ".".join(_safe(part) for part in (agency, office) if part) + "@" + self.domain

    def manner_of(self, agency: Agency, office: str | None) -> Manner:
        """How often an office wants mail; at once unless it chose otherwise."""
        entry = self._entry(agency, office)
        return entry.manner if entry else Manner()

    def _entry(self, agency: Agency, office: str | None) -> Entry | None:
        return self.listed.get((agency, office or "*")) or self.listed.get((agency, "*"))


def load_directory(path: Path | None) -> Directory:
    """The directory of a file, or the example one without a file. Raises BadSettings."""
    if path is None:
        return Directory()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise BadSettings(
            f"{path}: cannot be read as TOML ({cause}); mend the file or unset duty_directory"
        ) from None
    domain = content.pop("domain", None)
    if domain is not None and mailbox(f"a@{domain}") is None:
        raise BadSettings(f"{path}: domain is not a mail domain; write one like duty.example.go.id")
    return Directory(
        domain, {key: value for name, offices in content.items() for key, value in _of(path, name, offices)}
    )


def hours(text: str) -> tuple[time, time]:
    """Quiet hours as one writes them, `20.00-06.00`. Raises ValueError with the cure."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError("write two times like 20.00-06.00")
    begin_hour, begin, end_hour, end = map(int, found.groups())
    return time(begin_hour, begin), time(end_hour, end)


def _of(path: Path, name: str, offices: object) -> list[tuple[tuple[str, str], Entry]]:
    if name not in list(Agency):
        raise BadSettings(f"{path}: '{name}' is not an agency; write one of {', '.join(Agency)}")
    if not isinstance(offices, dict):
        raise BadSettings(
            f"{path}: {name} is not a table; write [{name}] and one line for each office below it"
        )
    return [
        ((name, office), _entry(f'{path}: {name}."{office}"', value)) for office, value in offices.items()
    ]


def _entry(where: str, value: Any) -> Entry:
    given = value if isinstance(value, dict) else {"mail": value}
    mail = given.get("mail")
    if not isinstance(mail, str) or mailbox(mail) is None:
        raise BadSettings(f"{where} is not a mail address; write one like piket@example.go.id")
    if unknown := set(given) - {"mail", "digest", "quiet"}:
        raise BadSettings(f"{where} has {', '.join(sorted(unknown))}; only mail, digest and quiet are known")
    try:
        pace = Pace(given.get("digest", Pace.IMMEDIATELY))
    except ValueError:
        raise BadSettings(f"{where}: digest is not known; write one of {', '.join(Pace)}") from None
    try:
        quiet = hours(str(given["quiet"])) if "quiet" in given else None
    except ValueError as problem:
        raise BadSettings(f"{where}: quiet cannot be read; {problem}") from None
    return Entry(mail, Manner(pace, quiet))


def _safe(part: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", part.lower())
