"""What a board says of itself, the profile that fits, and what does not."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.devices.board import Board

from edgecrnn.cli import main
from edgecrnn.devices.probe import Facts, fits, fitting_profile, probe
from edgecrnn.devices.profile import load_profile
from edgecrnn.devices.ssh import SshSettings, connect
from edgecrnn.runtime.errors import EdgecrnnError

PI_5 = Facts(
    architecture="aarch64",
    model="Raspberry Pi 5 Model B Rev 1.0",
    compatible=("raspberrypi,5-model-b", "brcm,bcm2712"),
    root="/home/pi/.local/share/edgecrnn",
    writable=True,
    free_mb=20_000,
    glibc="2.36",
    python="3.11.2",
    venv=True,
    clock=1000.0,
    user="pi",
)


def _said(facts: Facts, device: str = "raspberry-pi-5") -> str:
    return "\n".join(each.text() for each in fits(facts, load_profile(device), now=1000.0))


def test_a_board_over_ssh_tells_what_it_is(board: Board) -> None:
    with connect("board", SshSettings(ssh_config=str(board.config))) as shell:
        facts = probe(shell, str(board.folder / "not" / "yet there"))
    assert facts.python.startswith("3.") and facts.cores >= 1 and facts.memory_mb > 100
    assert facts.writable and facts.free_mb > 0 and abs(facts.clock - time.time()) < 3600
    assert facts.root == str(board.folder / "not" / "yet there")
    assert not (board.folder / "not").exists()
    assert facts.packages and "numpy" in facts.packages


def test_the_script_is_python_that_the_oldest_board_can_read(root: Path) -> None:
    text = (root / "devices/_facts_script.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__ import annotations" not in text


def test_a_read_only_file_system_cannot_be_written_even_by_root(root: Path, tmp_path: Path) -> None:
    """As of a card that has failed, or a system that is mounted so."""
    mount = 'mount -t tmpfs -o ro tmpfs "$1" && exec "$2" "$3" "$1/edgecrnn"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    words += [str(tmp_path), sys.executable, str(root / "devices/_facts_script.py")]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this machine gives nobody a mount namespace")
    facts = json.loads(done.stdout)
    assert facts["writable"] is False and facts["root"] == f"{tmp_path}/edgecrnn"
    refused = replace(PI_5, writable=False, root=facts["root"], user="root")
    assert "edgecrnn cannot be written by root; name another with --root" in _said(refused)


def test_a_board_without_python(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    (board.bin / "python3").unlink()
    assert main(["devices", "probe", "board", *board.flags]) == 2
    assert "board: expected python3 on the board, got none" in capsys.readouterr().err


@pytest.mark.parametrize("prints", ["echo hello", "echo '[1]'", "echo '{\"cores\": -1}'", "exit 1"])
def test_a_python_that_answers_something_else(board: Board, prints: str) -> None:
    (board.bin / "python3").unlink()
    (board.bin / "python3").write_text(f"#!/bin/sh\n{prints}\n")
    (board.bin / "python3").chmod(0o755)
    with (
        connect("board", SshSettings(ssh_config=str(board.config))) as shell,
        pytest.raises(EdgecrnnError, match=r"^board: "),
    ):
        probe(shell)


def test_a_banner_before_the_answer_does_no_harm(board: Board) -> None:
    target = (board.bin / "python3").readlink()
    (board.bin / "python3").unlink()
    (board.bin / "python3").write_text(f'#!/bin/sh\necho Welcome\nexec {target} "$@"\n')
    (board.bin / "python3").chmod(0o755)
    with connect("board", SshSettings(ssh_config=str(board.config))) as shell:
        assert probe(shell).python.startswith("3.")


def test_the_board_itself_is_known_by_its_device_tree() -> None:
    def name(facts: Facts) -> str | None:
        profile = fitting_profile(facts)
        return profile.name if profile else None

    assert name(PI_5) == "raspberry-pi-5"
    assert name(replace(PI_5, libraries=("edgetpu",))) == "raspberry-pi-5-coral"
    assert name(replace(PI_5, compatible=("raspberrypi,3-model-b-plus",))) == "raspberry-pi-3b-plus"
    assert name(replace(PI_5, compatible=("nvidia,p3450-0000",))) == "jetson-nano"
    assert name(replace(PI_5, compatible=("fsl,imx8mp-evk", "fsl,imx8mp"))) == "nxp-imx8m-plus"
    assert name(replace(PI_5, compatible=("somebody,board",))) == "linux-aarch64"
    assert name(Facts(architecture="armv7l")) == "linux-armv7l"
    assert name(Facts(architecture="riscv64")) is None


def test_a_board_that_fits_has_no_mismatch() -> None:
    assert _said(PI_5) == ""


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            replace(PI_5, architecture="armv7l"),
            "is armv7l, raspberry-pi-5 is aarch64; write the 64",
        ),
        (replace(PI_5, architecture="x86_64"), "is x86_64, raspberry-pi-5 is aarch64; choose"),
        (replace(PI_5, python="3.9.2"), "Python is 3.9.2; install Python 3.10 or later"),
        (replace(PI_5, venv=False), "no virtual environments; apt install python3-venv"),
        (replace(PI_5, glibc=""), "not glibc; take a system with glibc 2.27"),
        (replace(PI_5, glibc="2.24"), "has glibc 2.24, ai-edge-litert needs 2.27; update"),
        (replace(PI_5, writable=False), "cannot be written by pi; name another with --root"),
        (
            replace(PI_5, free_mb=20),
            "20 MB are free at /home/pi/.local/share/edgecrnn; free 800 MB",
        ),
    ],
)
def test_what_cannot_work_is_said_with_its_mend(facts: Facts, said: str) -> None:
    assert said in _said(facts)
    assert any(each.fatal for each in fits(facts, load_profile("raspberry-pi-5"), now=1000.0))


@pytest.mark.parametrize(
    ("facts", "device", "said"),
    [
        (replace(PI_5, python="3.12.1"), "raspberry-pi-5", "Python is 3.12, raspberry-pi-5 was"),
        (replace(PI_5, clock=1000.0 + 3e8), "raspberry-pi-5", "3472 days fast; set it"),
        (PI_5, "raspberry-pi-5-coral", "edgetpu finds no library (libedgetpu.so.1)"),
    ],
)
def test_what_only_costs_something_is_a_note(facts: Facts, device: str, said: str) -> None:
    (found,) = fits(facts, load_profile(device), now=1000.0)
    assert said in found.text() and not found.fatal


def test_a_board_that_cannot_run_says_only_that() -> None:
    assert _said(PI_5, "jetson-nano").startswith("NVIDIA Jetson Nano (JetPack 4) cannot run")


def test_the_command_prints_facts_profile_and_mismatches(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["devices", "probe", "board", *board.flags]
    assert main([*words, "--device", "jetson-nano"]) == 1
    out = capsys.readouterr().out
    assert "profile  jetson-nano" in out and "cannot   NVIDIA Jetson Nano" in out
    assert main([*words, "--device", "jetson-nano", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["host"] == "board" and said["profile"] == "jetson-nano"
    assert said["facts"]["cores"] >= 1 and said["mismatches"][0]["fatal"] is True


def test_the_command_asks_this_machine_without_a_host(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["devices", "probe", "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["host"] == "local"
