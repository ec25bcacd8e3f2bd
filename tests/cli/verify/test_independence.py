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


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    imported = set()
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    ours = {name for name in imported if name.split(".")[0] in ("contracts", "services", "deploy")}
    assert [name for name in sorted(ours) if not name.startswith(ALLOWED)] == []
    assert not any(name.startswith("contracts.") and name != "contracts.regions" for name in ours)
