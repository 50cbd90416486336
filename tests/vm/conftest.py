"""One boot for all tests that need a whole Debian, with a release as a service on it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import write_bundle
from tests.vm.debian import Debian

import edgecrnn
from edgecrnn.runtime.decision import UNKNOWN

FOLDER = os.environ.get("EDGECRNN_VM", "")
DECISIONS = "/var/lib/edgecrnn/decisions.jsonl"
SIZE, RATE, PIXELS = "320x180", "5", "YUYV"
# In vivid's menu of test pictures.
PICTURES = {"red": 7, "green": 8, "blue": 9}
CAMERA = "/dev/video0"


class Watched:
    """A Debian whose service classifies what its camera shows."""

    def __init__(self, guest: Debian, bundle: Path):
        self.guest, self.bundle = guest, bundle
        self.first = self.flash()

    def flash(self, *run: str, camera: str = CAMERA, code: int = 0) -> dict[str, Any]:
        """Bring a release there; `run` are further arguments of its run."""
        words = [str(self.bundle), self.guest.name, "--service", "--offline", "--budget", "10000"]
        words += ["--frames", "5", "--patience", "300", "--camera", camera, "--"]
        words += ["--size", SIZE, "--rate", RATE, "--pixels", PIXELS]
        return self.guest.edgecrnn(
            "flash", *words, "--timeout", "10", "--sink", f"jsonl:{DECISIONS}", *run
        )

    def show(self, color: str) -> None:
        """What the camera sees."""
        self.control(f"test_pattern={PICTURES[color]}")

    def control(self, setting: str, camera: str = CAMERA) -> None:
        """Set one of the camera's controls."""
        self.guest.run(f"v4l2-ctl -d {camera} -c {setting}")

    def count(self) -> int:
        """Decisions so far."""
        return int(self.guest.run(f"sudo wc -l {DECISIONS}").split()[0])

    def labels(self, after: int = 0) -> list[str]:
        """The labels of all decisions but the first few."""
        lines = self.guest.run(f"sudo tail -n +{after + 1} {DECISIONS}").splitlines()
        return re.findall(r'"label": "([a-z]+)"', "\n".join(lines))

    def wait_for(self, color: str) -> float:
        """Seconds until it is what the newest decision says."""
        newest = f"sudo tail -n 1 {DECISIONS}"
        return self.guest.until(lambda: f'"label": "{color}"' in self.guest.run(newest))

    def log(self) -> str:
        """What the run and its supervisor said."""
        return self.guest.run("sudo cat /var/lib/edgecrnn/run.log")


def without_unknown(labels: list[str]) -> set[str]:
    """What was decided where something was."""
    return set(labels) - {UNKNOWN}


@pytest.fixture(scope="session")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    pytest.importorskip("cryptography", reason="the extra flash is not installed")
    if not FOLDER:
        pytest.skip("no virtual machine (make test-vm makes one, as root)")
    machine = Debian(Path(FOLDER) / "guest", tmp_path_factory.mktemp("guest"))
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


# What a board has after its first flash: an environment, here of the packages in the guest's image.
_ENVIRONMENT = """
set -e
sudo install -d -o pi /opt/edgecrnn
folder=/opt/edgecrnn/environments/{name}
mkdir -p $folder/bin $folder/lib/python{python}/site-packages
ln -s /usr/bin/python{python} $folder/bin/python
printf 'home = /usr/bin\\ninclude-system-site-packages = false\\n' >$folder/pyvenv.cfg
printf '/opt/source\\n/opt/packages\\n' >$folder/lib/python{python}/site-packages/here.pth
touch $folder/complete
"""


def prepare(guest: Debian, folder: Path) -> None:
    """Have the runtime there; tiny wheels in `folder`, the person's cache, stand for it."""
    # They need the extra flash.
    from tests.devices.a_fleet import fill_cache

    from edgecrnn.devices.wheels import Target

    said = guest.run(
        "python3 -c 'import sys, os; print(*sys.version_info[:2], sep=chr(46))' && "
        "getconf GNU_LIBC_VERSION"
    )
    python, glibc = said.splitlines()[0], said.split()[-1]
    target = Target("x86_64", python, glibc)
    name = fill_cache(folder / "edgecrnn/wheels", folder / "made", target)
    guest.give(Path(edgecrnn.__file__).parent, ("train", "convert", "devices"), "/opt/source")
    guest.run("sh", stdin=_ENVIRONMENT.format(name=name, python=python))


@pytest.fixture(scope="session")
def board(guest: Debian, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        cache = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(cache))
        prepare(guest, cache)
        guest.run(f"v4l2-ctl -d {CAMERA} -c test_pattern=7 -c osd_text_mode=2")
        yield Watched(guest, write_bundle(tmp_path_factory.mktemp("bundle") / "door.edgecrnn"))
