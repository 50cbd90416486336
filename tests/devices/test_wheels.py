"""Wheels for a board: edgecrnn's own, made here, and the others from the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgecrnn.devices.wheels import Target, environment_id, fetch, own_wheel, requirements
from edgecrnn.runtime.errors import EdgecrnnError

PI = Target("aarch64", "3.11", "2.36")


def _fetched(lines: list[str], target: Target, cache: Path) -> dict[str, Path]:
    try:
        return fetch(lines, target, cache)
    except EdgecrnnError as error:
        if "No matching distribution" not in str(error):
            pytest.skip(f"the package index cannot be reached ({error})")
        raise


def test_edgecrnns_own_wheel_installs_and_runs(tmp_path: Path, root: Path) -> None:
    name, data = own_wheel()
    (tmp_path / name).write_bytes(data)
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--target", str(site), str(tmp_path / name)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    code = "import sys, edgecrnn; sys.stdout.write(edgecrnn.__file__)"
    # Without the checkout's own paths.
    ran = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == str(site / "edgecrnn/__init__.py")
    assert (site / "bin/edgecrnn").is_file()
    packed = {Path(n).name for n in zipfile.ZipFile(tmp_path / name).namelist()}
    assert {path.name for path in (root / "runtime").glob("*.py")} <= packed
    assert "raspberry-pi-5.toml" in packed


def test_the_same_files_make_the_same_wheel() -> None:
    assert own_wheel() == own_wheel()


def test_wheels_are_fetched_for_the_board_and_not_for_this_machine(tmp_path: Path) -> None:
    wheels = _fetched(["cffi>=2"], PI, tmp_path)
    built = [name for name in wheels if name.startswith("cffi")]
    assert len(built) == 1 and "cp311" in built[0] and "aarch64" in built[0]
    assert any(name.startswith("edgecrnn-") for name in wheels)
    # The second time nothing is fetched: not even pip is started.
    before = {name: path.stat().st_mtime_ns for name, path in wheels.items()}
    again = _fetched(["cffi>=2"], PI, tmp_path)
    assert {name: path.stat().st_mtime_ns for name, path in again.items()} == before


def test_a_board_without_wheels_is_told_so_and_nothing_is_left(tmp_path: Path) -> None:
    old = Target("armv7l", "3.11", "2.36")
    with pytest.raises(EdgecrnnError, match=r"wheels for armv7l, Python 3\.11 and glibc 2\.36"):
        fetch(["ai-edge-litert>=2.3.0"], old, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_environment_is_called_by_its_content(tmp_path: Path) -> None:
    for name in ("a.whl", "b.whl"):
        (tmp_path / name).write_text(name)
    both = {name: tmp_path / name for name in ("a.whl", "b.whl")}
    known = environment_id(both, PI)
    assert len(known) == 16
    assert known == environment_id(dict(reversed(both.items())), PI)
    assert known != environment_id(both, Target("aarch64", "3.12", "2.36"))
    assert known != environment_id(both, Target("x86_64", "3.11", "2.36"))
    (tmp_path / "a.whl").write_text("changed")
    assert known != environment_id(both, PI)


def test_what_a_board_needs_is_judged_by_its_python() -> None:
    def named(python: str, runtime: str, *extras: str) -> set[str]:
        lines = requirements(runtime, "2.14.0", Target("aarch64", python, "2.36"), extras)
        return {line.partition(">")[0] for line in lines}

    new = named("3.11", "ai-edge-litert")
    assert new == {"ai-edge-litert", "numpy", "opencv-python-headless"}
    assert named("3.10", "ai-edge-litert") == new | {"tomli"}
    assert named("3.11", "tflite-runtime") == new - {"ai-edge-litert"} | {"tflite-runtime"}
    assert named("3.11", "ai-edge-litert", "train") > new | {"keras", "tensorflow"}
    with pytest.raises(EdgecrnnError, match=r"extras: expected some of .*train.*, got 'trane'"):
        named("3.11", "ai-edge-litert", "trane")


@pytest.mark.parametrize("field", ["python", "glibc"])
def test_a_version_that_is_none(field: str) -> None:
    with pytest.raises(EdgecrnnError, match=f"{field}: expected a version"):
        Target(**{field: "new; rm"})
