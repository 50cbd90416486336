"""The whole way onto arm64 boards, a trixie and a bookworm, which `make test-board` makes first.

Its processor is emulated, so times mean nothing here; everything else is what a board does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.board.emulated import EmulatedBoard, emulated_board
from tests.runtime.camera import Camera

FOLDER = os.environ.get("EDGECRNN_BOARD", "")
MADE = sorted(Path(FOLDER).glob("*/complete")) if FOLDER else []
pytestmark = pytest.mark.skipif(
    not MADE, reason="no emulated board (make test-board makes one, as root)"
)
_BENCH = Path(__file__).parents[2] / "bench" / "default_bundle.py"
_PATIENCE = 900  # s; a wheel is unpacked in minutes there
Answer = dict[str, Any]


@pytest.fixture(scope="module", params=[each.parent for each in MADE], ids=lambda path: path.name)
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatedBoard]:
    with emulated_board(request.param, tmp_path_factory.mktemp("keys")) as running:
        yield running


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    made = Camera(rate=5.0)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default network in int8, with golden scores of this machine's processor."""
    path = tmp_path_factory.mktemp("bundle") / "default.edgecrnn"
    subprocess.run([sys.executable, _BENCH, path], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module", autouse=True)
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A person's own folder for keys and wheels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


def edgecrnn(board: EmulatedBoard, command: str, *words: str, code: int = 0) -> Answer:
    """A command's JSON answer."""
    reached = ["board", "--ssh-config", str(board.config), "--json"]
    first = [words[0], *reached] if command == "flash" else reached
    done = subprocess.run(
        [sys.executable, "-m", "edgecrnn", command, *first, *words[command == "flash" :]],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
    )
    assert done.returncode == code, done.stderr
    answer: Answer = json.loads(done.stdout)
    return answer


def flash(board: EmulatedBoard, bundle: Path, camera: str, *run: str, code: int = 0) -> Answer:
    """Bring a release there; `run` are further arguments of its run."""
    words = ["--camera", camera, "--offline", "--budget", "10000"]
    words += ["--patience", "300", "--frames", "5", "--", *run]
    return edgecrnn(board, "flash", str(bundle), *words, code=code)


def well(board: EmulatedBoard) -> Answer:
    """The status, once the release is well: it starts slowly there."""
    words = [sys.executable, "-m", "edgecrnn", "status", "board", "--json"]
    until = time.monotonic() + _PATIENCE
    while (
        done := subprocess.run([*words, "--ssh-config", board.config], capture_output=True)
    ).returncode:
        assert time.monotonic() < until, done
        time.sleep(1)
    answer: Answer = json.loads(done.stdout)
    return answer


def test_it_says_what_it_is(board: EmulatedBoard) -> None:
    command = [sys.executable, "-m", "edgecrnn", "devices", "probe", "board", "--json"]
    command += ["--ssh-config", str(board.config)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found["facts"]["architecture"] == "aarch64"
    assert board.suite in found["facts"]["os"]
    assert found["profile"] == "linux-aarch64"


def test_a_release_runs_there_and_answers_as_here(
    board: EmulatedBoard, bundle: Path, camera: Camera
) -> None:
    done = flash(board, bundle, camera.url)
    assert done["outcome"] == "healthy"
    # The CPU's kernels differ from x86-64's by a rounding: one step of the int8 scores.
    assert done["selftest"]["golden_difference"] <= 1 / 256
    status = well(board)
    assert (status["current"], status["running"]) == (done["release"], True)
    assert flash(board, bundle, camera.url)["outcome"] == "unchanged"


def test_one_that_classifies_nothing_is_taken_back(
    board: EmulatedBoard, bundle: Path, camera: Camera
) -> None:
    before = well(board)["current"]
    done = flash(board, bundle, "/nowhere.avi", code=2)
    assert done["outcome"] == "rolled back"
    assert "/nowhere.avi" in done["reason"]
    assert well(board)["current"] == before


def test_after_a_power_cut_the_same_release_runs_and_it_goes_back(
    board: EmulatedBoard, bundle: Path, camera: Camera
) -> None:
    old = well(board)["current"]
    new = flash(board, bundle, camera.url, "--threads", "2")["release"]
    board.cut_power()
    board.start()
    status = edgecrnn(board, "status", code=1)
    assert (status["current"], status["previous"], status["running"]) == (new, old, False)
    done = flash(board, bundle, camera.url, "--threads", "2")
    assert (done["outcome"], done["release"]) == ("healthy", new)
    assert edgecrnn(board, "rollback")["to"] == old
