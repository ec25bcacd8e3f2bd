"""`netral rekey`, killed at each of its lines in turn and run again: `python -m tests.cli.dying_rekeys FOLDER`."""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import services.cli.rekeying  # noqa: F401 - once, not in each child
from deploy.local.secrets import ensure
from services.cli.main import main
from tests.intake.test_vault_rekeying import filled, opened, read

WRITES = {
    "_exchanged",
    "draw",
    "_remove",
    "write_private",
    "sync_folder",
    "rekey",
    "_have_alone",
    "_wrap_all",
    "exchange",
}
"""The functions that change something, or wait for what does."""
FILES = ("rekeying.py", "secrets.py", "vault_keys.py")
DIED = 77
REPORTS = range(1, 3)


def dying_at(last: int) -> int:
    """The exit code of a rekey that ends at its `last`-th line without a word."""
    child = os.fork()
    if not child:
        lines = count(1)

        def line(frame: FrameType, event: str, _arg: Any) -> Any:
            if frame.f_code.co_name not in WRITES or not frame.f_code.co_filename.endswith(FILES):
                return None
            if event == "line" and next(lines) == last:
                os._exit(DIED)
            return line

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.settrace(line)
        os._exit(main(["rekey"]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def all_open(url: str, key: bytes) -> bool:
    vault = await opened(url, key)
    try:
        return [await read(vault, number, key) for number in REPORTS] == [{"n": number} for number in REPORTS]
    finally:
        await vault.close()


def every_line(folder: Path) -> int:
    """How many lines were tried. Raises AssertionError where a report is lost."""
    os.environ["NETRAL_DATA_DIR"] = str(folder)
    url, key = f"sqlite+aiosqlite:///{folder / 'intake.db'}", folder / "secrets" / "vault.key"
    ensure(folder)
    key.write_text(bytes(32).hex())
    (folder / "secrets" / "door.key").write_text((b"d" * 32).hex())
    asyncio.run(filled(url, *REPORTS))
    for last in count(1):
        before, code = key.read_text(), dying_at(last)
        assert code in (0, DIED), f"line {last}: {code}"
        if code == 0:
            return last - 1
        assert dying_at(0) == 0, f"line {last}: run again it fails"
        assert key.read_text() != before, f"line {last}: the key is the old one"
        for older in key.parent.glob(
            "vault.key.*"
        ):  # or each round would have more lines than the one before
            older.unlink()
        assert asyncio.run(all_open(url, bytes.fromhex(key.read_text()))), f"line {last}: a report is lost"
    raise AssertionError


if __name__ == "__main__":
    print(every_line(Path(sys.argv[1])), "lines")
