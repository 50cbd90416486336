"""A flash with --service, over a real sshd and sudo, onto a board that a real systemd runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.board.booted_card import FILM, Booted, booted

pytestmark = pytest.mark.skipif(
    not os.environ.get("EDGECRNN_BOARD"), reason="no board is emulated (make test-board makes one)"
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    for program in ("/usr/sbin/sshd", "sudo", "rsync"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt install openssh-server sudo rsync)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        with booted(tmp_path_factory.mktemp("card")) as running:
            running.told("frames classified")
            yield running


@pytest.fixture(scope="module")
def config(board: Booted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ssh configuration whose connection is an sshd of the board's own, without a network."""
    keys = tmp_path_factory.mktemp("keys")
    inside = board.root / "etc/ssh"
    for key in (keys / "client", inside / "board_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True
        )
    shutil.copy(keys / "client.pub", inside / "board_authorized")
    (inside / "sshd_board").write_text(
        "HostKey /etc/ssh/board_key\nAuthorizedKeysFile /etc/ssh/board_authorized\nUsePAM no\n"
        "StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n"
        "Subsystem sftp internal-sftp\n"
    )
    (board.root / "run/sshd").mkdir(exist_ok=True)
    board.run("mkdir", "-p", "/run/sshd")
    words = (inside / "board_key.pub").read_text().split()
    (keys / "known").write_text(f"board {words[0]} {words[1]}\n")
    # Who flashes is whose folder it is, and may sudo without a password.
    who = board.run("stat", "-c", "%U", "/opt/edgecrnn").strip()
    (board.root / "etc/sudoers.d/board").write_text(f"{who} ALL=(ALL) NOPASSWD: ALL\n")
    (board.root / "etc/sudoers.d/board").chmod(0o440)
    board.run("usermod", "--password", "*", "--shell", "/bin/bash", who)
    inside_it = f"nsenter -t {board.init} -m -u -i -p -n -r -w"
    file = keys / "config"
    file.write_text(
        f"Host board\n User {who}\n IdentityFile {keys}/client\n IdentitiesOnly yes\n"
        f" IdentityAgent none\n UserKnownHostsFile {keys}/known\n StrictHostKeyChecking yes\n"
        f" ProxyCommand {inside_it} /usr/sbin/sshd -i -f /etc/ssh/sshd_board\n"
    )
    return file


def edgecrnn(config: Path, *words: str, code: int = 0) -> dict[str, Any]:
    run = words[words.index("--") :] if "--" in words else ()
    plain = words[: len(words) - len(run)]
    command = [sys.executable, "-m", "edgecrnn", *plain, "--ssh-config", config, "--json", *run]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def flash(board: Booted, config: Path, camera: str, *run: str, code: int = 0) -> dict[str, Any]:
    words = ["flash", str(board.card.bundle), "board", "--service", "--offline", "--frames", "5"]
    words += ["--camera", camera, "--", "--realtime", *run]
    return edgecrnn(config, *words, code=code)


def test_the_running_service_goes_over_to_the_new_release(board: Booted, config: Path) -> None:
    before = edgecrnn(config, "status", "board")
    assert before["service"] == "systemd"
    pid = board.property("MainPID")
    done = flash(board, config, FILM, "--threads", "2")
    assert (done["outcome"], done["previous"]) == ("healthy", before["current"])
    # The service was not restarted: its supervisor became the new release's.
    assert board.property("MainPID") == pid
    assert flash(board, config, FILM, "--threads", "2")["outcome"] == "unchanged"


def test_one_that_fails_is_taken_back_and_the_service_runs_on(board: Booted, config: Path) -> None:
    before = edgecrnn(config, "status", "board")["current"]
    done = flash(board, config, "/srv/none.avi", code=2)
    assert done["outcome"] == "rolled back"
    assert "/srv/none.avi" in done["reason"]
    board.wait("ActiveState", "active")
    assert edgecrnn(config, "status", "board")["current"] == before


def test_a_rollback_goes_back(board: Booted, config: Path) -> None:
    now = flash(board, config, FILM, "--threads", "3")
    assert edgecrnn(config, "rollback", "board")["to"] == now["previous"]
    board.wait("ActiveState", "active")
