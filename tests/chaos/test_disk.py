"""The storm's small disk: what its deeds did to it is over when they are."""

import os
from pathlib import Path

import pytest

from tests.chaos.disk import fill, release, small_disk

pytestmark = pytest.mark.thorough


def test_a_loss_of_power_does_not_bring_back_what_filled_the_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 8) as disk:
        if not (disk and disk.image):
            pytest.skip("a file system that can lose something cannot be mounted here")
        disk.data.mkdir()
        ballast = disk.data / "ballast"
        fill(ballast)
        with ballast.open("rb") as file:
            os.fsync(file.fileno())
        release(ballast)
        disk.power_off()
        disk.power_on()
        assert not ballast.exists()
