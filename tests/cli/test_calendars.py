"""`netral calendar load` counts what moves, puts calendars in force, and leaves what was decided as it was."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from services.routing.calendar_files import HERE
from services.runtime.clock import now
from tests.cli.conftest import Netral
from tests.cli.test_operating import TICKET, operated, routed

__all__ = ["operated", "routed"]
pytestmark = pytest.mark.broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged calendars with one more day off."""
    copy = Path(shutil.copytree(HERE, tmp_path / "next"))
    file, day = copy / "workdays.yaml", now().date() + timedelta(days=3)
    text = file.read_text("utf-8").replace('version: "2026.1"', 'version: "2026.2"')
    leave = f'{{day: {day}, decree: "SKB 3 Menteri"}}'
    file.write_text(text.replace("\nadd: []", f"\nadd: [{leave}]"), "utf-8")
    return copy


def test_a_trial_changes_nothing_and_a_load_is_in_force_while_older_decisions_are_reproduced(
    routed: Netral, folder: Path
) -> None:
    before = routed("explain", TICKET).out
    ran = routed("calendar", "load", folder, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert " workdays-2026.2: 0 limits that run move, in 0 cases\n" in ran.out
    assert ran.out.endswith("Nothing was changed; leave --dry-run out to do it.\n")
    told = json.loads(routed("calendar", "load", folder, "--json").out)
    assert (told["loaded"]["number"], told["moved"], told["cases"]) == (2, {}, [])
    again = routed("calendar", "load", folder)
    assert "(change 2); each case whose limits move says so in a step\nsha256:" in again.out
    assert routed("explain", TICKET).out == before
    assert "1 decisions: 1 reproduced byte for byte" in routed("rules", "replay").out


def test_broken_calendars_are_not_loaded_and_every_fault_has_its_line(routed: Netral, folder: Path) -> None:
    file = folder / "workdays.yaml"
    file.write_text(file.read_text("utf-8").replace("decree:", "decre:"), "utf-8")
    ran = routed("calendar", "load", folder)
    assert (ran.code, ran.out) == (2, "")
    assert "workdays.yaml:10:" in ran.err
    assert "'decre' is not known here; did you mean 'decree'?" in ran.err


def test_a_folder_that_is_none_is_bad_input(netral: Netral) -> None:
    ran = netral("calendar", "load", "nowhere")
    assert (ran.code, ran.err) == (
        2,
        "nowhere: is not a folder; name the folder that holds workdays.yaml\n",
    )
