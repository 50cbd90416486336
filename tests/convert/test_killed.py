"""`edgecrnn convert` killed at any moment: the old bundle whole, no trace for the next call."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.journey import TRAIN, edgecrnn, write_pictures

from edgecrnn.convert.graph import Conversion
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings

# Of what convert says: a kill comes up to so many seconds after each of them.
STAGES = {"reads the held-out stream": 3.0, "for loose": 0.1}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    step_model(build_network(NetworkSettings(units=4, width=0.25), (16, 16, 3), 3)).save(path)
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes started now put what they need for a while."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def wait_for(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_bundle_is_the_old_one_or_the_new(tmp_path: Path, temporary: Path, root: Path) -> None:
    data, run, out = write_pictures(tmp_path / "data"), tmp_path / "run", tmp_path / "out/bundle"
    trained = edgecrnn("train", data, "--out", run, *TRAIN, "--epochs", "1", "--no-baseline")
    assert trained.returncode == 0, trained.stderr
    own = (root / "devices/profiles/linux-x86_64.toml").read_text().splitlines()
    kept = [line for line in own if not line.startswith(("accuracy_", "agreement"))]
    profile = tmp_path / "loose.toml"
    profile.write_text("\n".join([*kept, "accuracy_drop = 100.0", "agreement = 0.0", ""]))
    words = ["convert", run, "--device", profile, "--out", out, "--force"]
    out.parent.mkdir()
    out.write_bytes(b"the old one")
    report, chance = (run / "report.html").read_bytes(), random.Random(0)
    for stage, most in STAGES.items():
        process = subprocess.Popen(
            [sys.executable, "-m", "edgecrnn", *map(str, words)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stderr is not None
        assert any(stage in line for line in process.stderr)
        time.sleep(chance.uniform(0, most))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        if out.read_bytes() != b"the old one":
            open_bundle(out)
        assert (run / "report.html").read_bytes() == report
        # The converter's own process sees that nobody waits for it any more.
        wait_for(lambda: not list(temporary.glob("edgecrnn-*")), 120)
    (out.parent / ".bundle.0123abcd").write_bytes(b"half of one, as a kill leaves it")
    made = edgecrnn(*words)
    assert made.returncode == 0, made.stderr
    assert open_bundle(out).manifest.labels == ("bright", "dark")
    assert [entry.name for entry in out.parent.iterdir()] == ["bundle"]


def test_a_converter_that_dies_halfway_becomes_a_sentence(model: Path, temporary: Path) -> None:
    conversion = Conversion(model)
    # The saved model lies there half the way from Keras to TFLite.
    wait_for(lambda: bool(list(temporary.glob("*/*/saved_model.pb"))), 120)
    os.kill(conversion._process.pid, signal.SIGKILL)
    with pytest.raises(EdgecrnnError) as caught:
        conversion.result()
    assert "the converter was killed by signal 9" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(temporary.glob("edgecrnn-*"))
