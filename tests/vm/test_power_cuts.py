"""Power cuts in the middle of a flash: `make test-vm` fetches a kernel and runs this.

The machine is killed, so what its kernel had not yet written is lost, as on a board.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from tests.vm.machine import Machine, check_disk, new_disk

FOLDER = os.environ.get("EDGECRNN_VM", "")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="no kernel for a virtual machine (make test-vm fetches one)"
)
CUTS = int(os.environ.get("EDGECRNN_CUTS", "50"))
# A flash takes 0.4 s there; the journal is written every second.
LONGEST = 2.5  # s
UNSYNCED = 12


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(Path(FOLDER) / "kernel", tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def installed(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk on which the old release runs."""
    disk = tmp_path_factory.mktemp("disk") / "installed"
    new_disk(disk)
    machine.say(disk, "set-up", "DONE")
    assert check_disk(disk) == "whole: old"
    return disk


def _after_a_cut(machine: Machine, installed: Path, mode: str, after: float) -> str:
    disk = installed.with_name("cut")
    shutil.copy(installed, disk)
    machine.cut(disk, mode, after)
    return check_disk(disk)


def test_after_every_cut_the_board_is_whole(machine: Machine, installed: Path) -> None:
    moments = random.Random(1)
    found = [
        # Half of them fall into the flash itself.
        _after_a_cut(machine, installed, "flash", moments.uniform(0, (0.5, LONGEST)[number % 2]))
        for number in range(CUTS)
    ]
    assert set(found) == {"whole: old", "whole: new"}, found
    print(f"{CUTS} cuts: {found.count('whole: old')} old, {found.count('whole: new')} new")


def test_without_the_syncs_it_is_not(machine: Machine, installed: Path) -> None:
    """Else the test above would prove nothing."""
    moments = random.Random(2)
    found = [
        _after_a_cut(machine, installed, "flash-unsynced", moments.uniform(1.5, LONGEST))
        for _ in range(UNSYNCED)
    ]
    broken = [one for one in found if one.startswith("broken")]
    assert broken, found
    print(f"{len(broken)} of {UNSYNCED} broken")
