"""The checker shares nothing with what it checks but the vocabulary, the addresses and how streams are read."""

import ast
from pathlib import Path

import services.cli.verify as package

ALLOWED = (
    "contracts.regions",
    "contracts",
    "services.cli",
    "services.runtime",
    "services.intake.settings",
    "services.notifications.settings",
    "services.routing.settings",
)


EXCEPTIONS = {
    "decision_checks.py": (
        "contracts.facts",
        "services.routing.core.decide",
        "services.routing.deciding",
    ),
    "step_checks.py": (
        "contracts.facts",
        "contracts.steps",
        "services.routing.core.decide",
        "services.routing.core.life",
    ),
    "readable.py": ("contracts.agency_events", "contracts.events"),
    "vault_checks.py": ("services.intake.sealing",),
}
"""What decides again, opens what was sealed, and reads as all others read, cannot be written a second time."""


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    for path in Path(package.__file__).parent.glob("*.py"):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
        imported -= set(EXCEPTIONS.get(path.name, ()))
        ours = {name for name in imported if name.split(".")[0] in ("contracts", "services", "deploy")}
        assert [name for name in sorted(ours) if not name.startswith(ALLOWED)] == []
        assert not any(name.startswith("contracts.") and name != "contracts.regions" for name in ours)
