"""The duty directory: which mailbox an office of an agency reads. A TOML file, or one pattern for everybody.

domain = "duty.example.go.id"      # <agency>.<office>@domain for whoever is not listed; leave out for nobody

[BAWASLU]
"kabkota:52.04" = "piket@sumbawa.example.go.id"
"*" = "piket@bawaslu.example.go.id"   # every other office, and an office that is not known
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from contracts.codes import Agency
from services.notifications.core.addresses import mailbox
from services.runtime.settings import BadSettings

EXAMPLE_DOMAIN = "duty.netral.invalid"


@dataclass(frozen=True)
class Directory:
    """Addresses by agency and office (`*`: any), and the domain of the pattern for all others."""

    domain: str | None = EXAMPLE_DOMAIN
    listed: dict[tuple[str, str], str] = field(default_factory=dict)

    def address_of(self, agency: Agency, office: str | None) -> str | None:
        """The duty address of an office, or None if the directory has none."""
        for key in ((agency, office or "*"), (agency, "*")):
            if key in self.listed:
                return self.listed[key]
        if self.domain is None:
            return None
        return ".".join(_safe(part) for part in (agency, office) if part) + "@" + self.domain


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


def _of(path: Path, name: str, offices: object) -> list[tuple[tuple[str, str], str]]:
    if name not in list(Agency):
        raise BadSettings(f"{path}: '{name}' is not an agency; write one of {', '.join(Agency)}")
    if not isinstance(offices, dict):
        raise BadSettings(
            f"{path}: {name} is not a table; write [{name}] and one line for each office below it"
        )
    for office, address in offices.items():
        if not isinstance(address, str) or mailbox(address) is None:
            raise BadSettings(
                f'{path}: {name}."{office}" is not a mail address; write one like piket@example.go.id'
            )
    return [((name, office), address) for office, address in offices.items()]


def _safe(part: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", part.lower())
