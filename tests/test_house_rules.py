"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from faststream import AckPolicy

from contracts.topology import CONSUMERS, PUBLISHES, STREAMS, TEMPLATES, stream_of, template_of
from services.runtime.failures import TryLater
from services.runtime.messaging import durable

ROOT = Path(__file__).parents[1]
TRACKED = [
    ROOT / name for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
]
PYTHON = [path for path in TRACKED if path.suffix == ".py" and path.exists()]
SOURCE = [path for path in PYTHON if path.parts[len(ROOT.parts)] in ("contracts", "services", "deploy")]


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.name)
def test_no_durable_loses_a_message_it_failed_to_handle(consumer) -> None:  # type: ignore[no-untyped-def]
    options = durable(consumer.name)
    assert options["ack_policy"] is AckPolicy.NACK_ON_ERROR
    assert options["stream"].declare is False
    assert consumer.max_deliver * TryLater().delay > timedelta(hours=12).total_seconds(), (
        "a database may be away for a night"
    )


def test_every_subject_a_service_publishes_has_a_stream_and_a_template() -> None:
    for subjects in PUBLISHES.values():
        for subject in subjects:
            assert stream_of(subject) in {stream.name for stream in STREAMS}
    assert [template_of(re.sub(r"\{\w+\}", "x", template)) for template in TEMPLATES] == list(TEMPLATES)
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert [template for template in TEMPLATES if f"`{template}`" not in page] == []


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short_and_say_what_they_are_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 260, "a file that long has two responsibilities"
    if text.strip():
        assert ast.get_docstring(tree), "say in one line what this module is responsible for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{node.name} is too long"


def test_no_tracked_file_names_a_registry_or_a_place_of_one_machine() -> None:
    forbidden = re.compile(
        r"pythonhosted\.or"
        + r"g|registry\.npmj"
        + r"s|deb\.debia"
        + r"n\.org|pypi\.or"
        + r"g/simple|/wor"
        + r"k/|/root/\."
    )
    texts = [path for path in TRACKED if path.exists() and path.suffix not in {".png", ".csv"}]
    found = [path for path in texts if forbidden.search(path.read_text(encoding="utf-8", errors="replace"))]
    assert found == []


def test_every_decision_record_has_a_number_of_its_own() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert len(set(numbers)) == len(numbers)
    for path in records:
        heading = re.match(r"# (\d+)\. ", path.read_text(encoding="utf-8"))
        assert heading, f"{path.name}: begin with `# number. title`"
        assert int(heading[1]) == int(path.name[:4]), path.name


def test_only_the_clock_module_reads_the_clock() -> None:
    reading = re.compile(r"datetime\.now\(|date\.today\(|time\.time\(|utcnow\(")
    found = {
        str(path.relative_to(ROOT)) for path in SOURCE if reading.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"services/runtime/clock.py"}


def test_the_lock_has_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = re.findall(r"^[\w.\-\[\]]+==", text, re.MULTILINE)
        assert len(pinned) > 40
        assert text.count("--hash=sha256:") >= len(pinned)
