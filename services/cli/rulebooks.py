"""What `netral rules …` does: reads rulebook folders and prints what the tools find."""

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from services.cli.case_files import day_of
from services.cli.casework import OPERATOR, ask
from services.cli.console import complain, printable, write_json
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.routing.core.rules import Rulebook
from services.routing.rulebook_files import HERE, files_of, load_rulebook
from services.routing.rules.diff_report import report
from services.routing.rules.diffing import compare
from services.routing.rules.tables import Language, comma_separated, markdown
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import Clock, now

_JAKARTA = ZoneInfo("Asia/Jakarta")


def check(folder: str | None) -> None:
    """Say that a rulebook can be used, with its counts. Raises Stop (2) with every fault."""
    book = _load(folder)
    versions = [version for rule in book.rules for version in rule.history]
    expected = sum(version.expected for version in versions)
    _write(
        f"ok: {book.id} {book.version}: {len(book.rules)} rules, {len(versions)} versions"
        f" ({expected} expected, not in force), {len(book.sources)} sources\n{book.digest}\n"
    )


def show(folder: str | None, on: str | None, form: str, language: str | None) -> None:
    """Print the tables. Raises Stop (2)."""
    if form not in ("md", "csv"):
        raise Stop(f"--format: {form[:40]!r} is not a form of the tables; write md or csv", BAD_INPUT)
    day = None if on is None else day_of(on, "--on")
    write = markdown if form == "md" else comma_separated
    _write(write(_load(folder), day, _language(language)))


def diff(old: str, new: str, *, clock: Clock = now) -> None:
    """Print the changed boxes and the grade; today is the day of publication. Raises Stop (2)."""
    before, after = _load(old), _load(new)
    today = clock().astimezone(_JAKARTA).date()
    _write(report(before, after, compare(before, after, today), today))


def prove(folder: str | None) -> int:
    """Print every guarantee that fails, with its box, and what a reader should look at; the exit code says if one did."""
    # The prover is the heaviest of the tools; the others start without it.
    from services.routing.rules.overlaps import gaps_and_overlaps  # noqa: PLC0415
    from services.routing.rules.proving import prove as failures_of  # noqa: PLC0415

    book = _load(folder)
    failures, findings = failures_of(book), gaps_and_overlaps(book)
    if not failures:
        _write(f"proved: {book.id} {book.version}: every guarantee holds for every admissible combination\n")
    if findings:
        _write(f"to look at, not always a mistake: {len(findings)}\n")
        _write("".join(f"  {finding}\n" for finding in findings))
    for failure in failures:
        complain(str(failure))
    return TROUBLE if failures else 0


def load(folder: str | None, *, as_json: bool) -> None:
    """Give a rulebook to the running system, which checks and proves it. Raises Stop with every fault."""
    book = _load(folder)
    files = {name: raw.decode() for name, raw in files_of(_folder(folder)).items()}
    told = ask("/v1/operator/rulebook", OPERATOR, what="rules load", method="PUT", body={"files": files})
    if as_json:
        write_json(told)
        return
    _write(
        f"ok: {book.id} {book.version} is the law since {told['loaded_at']} (change {told['number']})\n{book.digest}\n"
    )


def _load(folder: str | None) -> Rulebook:
    """The rulebook of a folder, or the packaged one."""
    try:
        return load_rulebook(_folder(folder))
    except BrokenRulebook as broken:
        raise Stop("\n".join(printable(str(fault)) for fault in broken.faults), BAD_INPUT) from None


def _folder(folder: str | None) -> Path:
    path = HERE if folder is None else Path(folder)
    if not path.is_dir():
        raise Stop(f"{folder}: is not a folder; name the folder that holds book.yaml", BAD_INPUT)
    return path.resolve()


def _language(text: str | None) -> Language | None:
    match text:
        case "id":
            return "id"
        case "en":
            return "en"
        case None:
            return None
    raise Stop(f"--language: {text[:40]!r} is not a language of the rulebook; write id or en", BAD_INPUT)


def _write(text: str) -> None:
    """To standard output, in UTF-8 whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()
