"""Device profiles: those that come with the package, and every way to get one wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.convert.backends import check_delegates
from edgecrnn.devices.profile import load_profile, profile_names, require_runnable
from edgecrnn.devices.wheels import Target
from edgecrnn.runtime.errors import EdgecrnnError

MINE = """
title = "My board"
status = "unproven"
architecture = "aarch64"
os = ["Debian 12"]
python = ["3.11"]
runtime = "ai-edge-litert"
runtime_version = "2.3.0"
delegates = ["npu", "cpu"]
cameras = ["usb"]
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my-board.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_the_boards_that_come_with_the_package() -> None:
    assert profile_names() == (
        "jetson-nano",
        "jetson-orin-nano",
        "linux-aarch64",
        "linux-armv7l",
        "linux-x86_64",
        "nxp-imx8m-plus",
        "nxp-imx93",
        "raspberry-pi-3b-plus",
        "raspberry-pi-4",
        "raspberry-pi-5",
        "raspberry-pi-5-coral",
        "raspberry-pi-zero-2w",
        "rockchip-rk3588",
    )
    for name in profile_names():
        profile = load_profile(name)
        assert profile.name == name and profile.delegates[-1] == "cpu"
        check_delegates(profile)
        # A speed stands only where it was measured.
        assert (profile.multiply_adds is None) == (profile.status == "unproven")
    assert load_profile("nxp-imx93").delegate["ethos-u"]["accelerator"] == "ethos-u65-256"
    assert load_profile("raspberry-pi-5-coral").delegates == ("edgetpu", "cpu")
    assert load_profile("raspberry-pi-5").delegate == {}
    assert load_profile("raspberry-pi-5").architecture == "aarch64"
    assert load_profile("raspberry-pi-5").status == "unproven"
    assert load_profile("linux-x86_64").status == "proven"


def test_every_fact_has_a_source_beside_it(root: Path) -> None:
    for path in (root / "devices/profiles").glob("*.toml"):
        for block in path.read_text(encoding="utf-8").split("\n\n")[1:]:
            # The board's title and status are explained by the heading.
            assert block.startswith(("#", "title")), f"{path.name}: {block}"


def test_a_board_that_cannot_run_edgecrnn_says_so_and_what_to_do() -> None:
    nano = load_profile("jetson-nano")
    with pytest.raises(
        EdgecrnnError, match=r"Jetson Nano.*cannot run.*Python 3\.6.*; take a board"
    ):
        require_runnable(nano)
    assert [n for n in profile_names() if load_profile(n).cannot_run] == ["jetson-nano"]
    assert require_runnable(load_profile("raspberry-pi-4")).name == "raspberry-pi-4"


# These images bring an interpreter that the vendor built.
VENDORS = {"nxp-imx93", "nxp-imx8m-plus"}
# The oldest C library of each architecture's systems: Ubuntu 22.04's, bookworm's.
GLIBC = {"aarch64": "2.35", "x86_64": "2.36", "armv7l": "2.36"}


def promised() -> list[tuple[str, str, str, str]]:
    """Each runtime, its least version, architecture and Python that some profile promises."""
    able = [load_profile(name) for name in set(profile_names()) - VENDORS]
    return sorted(
        {
            (each.runtime, each.runtime_version, each.architecture, python)
            for each in able
            if not each.cannot_run
            for python in each.python
        }
    )


@pytest.mark.parametrize(("runtime", "version", "architecture", "python"), promised())
def test_the_package_index_has_the_runtime_that_a_profile_promises(
    runtime: str, version: str, architecture: str, python: str
) -> None:
    wanted = f"{runtime}>={version}"
    there = on_the_index(wanted, Target(architecture, python, GLIBC[architecture]))
    assert there, f"no wheel of {wanted} for {architecture} and Python {python}"


def test_the_package_index_has_none_where_a_profile_says_so() -> None:
    """Were there one by now, the 32-bit profile and the Jetson Nano's would ask for too little."""
    for architecture, python in (("armv7l", "3.11"), ("aarch64", "3.6")):
        assert not on_the_index("ai-edge-litert", Target(architecture, python, "2.36"))


def on_the_index(wanted: str, target: Target) -> bool:
    """Whether the package index has a wheel for such a board; skips where it cannot be reached."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    command += ["--retries", "1", "--timeout", "15", "--target", "/nowhere"]
    command += ["--implementation", "cp", "--python-version", target.python]
    for tag in target.platforms():
        command += ["--platform", tag]
    done = subprocess.run(
        [*command, wanted], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    # Without a connection there are no versions at all; with one pip lists those of other boards.
    if done.returncode and re.search(r"NewConnectionError|timed out|ProxyError", done.stderr):
        pytest.skip("the package index cannot be reached")
    return done.returncode == 0


def test_a_profile_of_ones_own(mine: Path) -> None:
    profile = load_profile(mine)
    assert profile.name == "my-board" and profile.delegates == ("npu", "cpu")
    assert (profile.threads, profile.accuracy_drop, profile.agreement) == (1, 1.0, 0.98)


@pytest.mark.parametrize("name", ["raspbery-pi-5", "raspberry pi 5", "Raspberry-Pi-5"])
def test_an_unknown_board_lists_those_there_are_and_suggests(name: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        load_profile(name)
    said = str(caught.value)
    assert f"expected one of {', '.join(profile_names())} or the path" in said
    assert said.endswith(f"got {name!r} (did you mean 'raspberry-pi-5'?)")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "My board"', "", "expected the keys title too"),
        ('status = "unproven"', 'statu = "unproven"', "got 'statu' (did you mean 'status'?)"),
        ('"unproven"', '"unprovn"', "got 'unprovn' (did you mean 'unproven'?)"),
        ('"aarch64"', '"arm64"', "architecture: expected one of aarch64, armv7l, x86_64"),
        ('["npu", "cpu"]', '["Ethos U"]', "expected names such as cpu or ethos-u, got 'Ethos U'"),
        ('"ai-edge-litert"', '"tflite"', "runtime: expected one of ai-edge-litert, tflite-runtime"),
        ('["npu", "cpu"]', "[]", "delegates: expected a list of different texts"),
        ('["npu", "cpu"]', '["cpu", "cpu"]', "delegates: expected a list of different texts"),
        ('["npu", "cpu"]', '"cpu"', "delegates: expected a list of different texts"),
        ('["3.11"]', "[3.11]", "python: expected a list of different texts"),
        ('["3.11"]', '["py3"]', "python: expected a version such as 3.11, got 'py3'"),
        ('"2.3.0"', '"new"', "runtime_version: expected a version such as 2.3.0, got 'new'"),
        ('"2.3.0"', "2.3", "runtime_version: expected str, got 2.3"),
        ('cameras = ["usb"]', 'cameras = ["usb"]\nthreads = 0', "threads: expected 1 to 64"),
        ('cameras = ["usb"]', 'cameras = ["usb"]\nagreement = nan', "agreement: expected 0 to 1"),
        ('cameras = ["usb"]', 'cameras = ["usb"]\nname = "x"', "expected no key 'name'"),
        (
            'cameras = ["usb"]',
            'cameras = ["usb"]\n[delegate.npo]\nx = 1',
            "[delegate.npo]: expected settings of one of npu, cpu, got 'npo' (did you mean 'npu'?)",
        ),
        (
            'cameras = ["usb"]',
            'cameras = ["usb"]\n[delegate]\nnpu = 1',
            "[delegate.npu]: expected a table of settings, got 1",
        ),
        ('cameras = ["usb"]', 'cameras = ["usb"]\ndelegate = 1', "delegate: expected a table"),
        ("title", "title title", "expected TOML in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(mine: Path, old: str, new: str, said: str) -> None:
    assert old in MINE
    mine.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EdgecrnnError, match=re.escape(said)) as caught:
        load_profile(mine)
    assert str(caught.value).startswith(f"{mine}: ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="No such file"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(EdgecrnnError, match="Is a directory"):
        load_profile(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EdgecrnnError, match="expected TOML in UTF-8"):
        load_profile(tmp_path / "bytes.toml")


@given(st.text())
def test_no_name_brings_a_traceback(name: str) -> None:
    if name not in profile_names():
        with pytest.raises(EdgecrnnError):
            load_profile(name)
