"""A bundle, a report and a converter that find the disk full: a sentence, and the old ones stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from tests.full_disk import FullDisk
from tests.journey import TRAIN, write_pictures
from tests.runtime.conftest import write_bundle as bundle_of_colors

from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.graph import Conversion
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings


def test_a_bundle(tmp_path: Path, small_disk: Path) -> None:
    manifest = open_bundle(bundle_of_colors(tmp_path / "colors")).manifest
    out = small_disk / "bundle"
    write_bundle(out, manifest, {"float32.tflite": bytes(900_000)}, {}, {})
    old = out.read_bytes()
    with pytest.raises(EdgecrnnError, match=r"bundle: could not be written \(No space left"):
        write_bundle(out, manifest, {"float32.tflite": bytes(1_900_000)}, {}, {})
    assert out.read_bytes() == old and list(small_disk.iterdir()) == [out]


def test_the_report_of_a_run(tmp_path: Path, root: Path, full_disk: FullDisk) -> None:
    """The bundle fits and the longer report does not: the run keeps the one that it has."""
    data, cache = write_pictures(tmp_path / "data"), tmp_path / "cache"
    to = ("--out", tmp_path / "old/run", "--cache", cache)
    trained = full_disk.again("train", data, *to, *TRAIN, "--epochs", "1", "--no-baseline")
    assert trained.code == 0, trained.said
    own = (root / "devices/profiles/linux-x86_64.toml").read_text().splitlines()
    kept = [line for line in own if not line.startswith(("accuracy_", "agreement"))]
    profile = tmp_path / "loose.toml"
    profile.write_text("\n".join([*kept, "accuracy_drop = 100.0", "agreement = 0.0", ""]))
    run, out = full_disk.folder / "run", full_disk.folder / "bundle"
    words = ("convert", run, "--device", profile, "--out", out, "--data", data, "--cache", cache)
    ended = full_disk.run(*words, free=100_000, content=tmp_path / "old")
    assert ended.refused() and ended.new == {"bundle"}
    assert "run/report.html: could not be written (No space left on device)" in ended.sentence
    (tmp_path / "bundle").write_bytes(full_disk.read("bundle"))
    assert open_bundle(tmp_path / "bundle").manifest.labels == ("bright", "dark")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    step_model(build_network(NetworkSettings(units=4, width=0.25), (16, 16, 3), 3)).save(path)
    return path


def test_the_folder_for_temporary_files(
    model: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The converter's process writes a saved model there, and its message is not shown as it is."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with pytest.raises(EdgecrnnError, match="space left on the disk for the converter") as caught:
        Conversion(model).result()
    assert str(caught.value).startswith(str(small_disk)) and "\n" not in str(caught.value)
    assert list(small_disk.iterdir()) == [ballast]


def test_no_folder_for_temporary_files(model: Path, tmp_path: Path) -> None:
    code = (
        "import sys, tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/proc']\n"
        "import edgecrnn.cli as cli, edgecrnn.convert.graph as graph, pathlib\n"
        "cli._run = lambda name, rest: graph.Conversion(pathlib.Path(rest[0]))\n"
        "sys.exit(cli.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "convert", model],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "edgecrnn: expected a folder with room for temporary files, got none; name one in TMPDIR"
    )
