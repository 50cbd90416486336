"""The commands that a service needs; sudo and systemctl are recorded: no systemd runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.devices.board import Board

from edgecrnn.devices.agent import Agent
from edgecrnn.devices.flash_service import (
    check_owner,
    commands,
    differing,
    folder_command,
    start_command,
    sudo,
    take_over,
    wanted_service,
)
from edgecrnn.devices.ssh import SshSettings, SshShell, connect
from edgecrnn.runtime.errors import EdgecrnnError

ROOT = "/opt/edgecrnn"


@pytest.fixture
def shell(board: Board) -> Iterator[SshShell]:
    with connect("board", SshSettings(ssh_config=str(board.config))) as opened:
        assert isinstance(opened, SshShell)
        yield opened


def test_what_is_told_to_a_board_that_has_nothing(shell: SshShell) -> None:
    service = wanted_service(ROOT, "pi", ["gpu"])
    differ = differing(shell, service)
    assert len(differ) == 3
    told = [" ".join(command) for command in commands(service, differ)]
    assert told[0] == "tee /opt/edgecrnn/edgecrnn.conf"
    # A small Debian 13 has no /etc/sysusers.d.
    assert told[1].startswith("sudo -n install -D ") and told[1].endswith(
        "/etc/sysusers.d/edgecrnn.conf"
    )
    assert "sudo -n systemd-sysusers /etc/sysusers.d/edgecrnn.conf" in told
    assert told[-2:] == [
        "sudo -n systemctl daemon-reload",
        "sudo -n systemctl enable edgecrnn.service",
    ]
    unit = service.files["/etc/systemd/system/edgecrnn.service"]
    assert "User=edgecrnn" in unit and "DeviceAllow=char-drm rw" in unit


def test_what_is_there_as_it_should_be_is_left_alone(shell: SshShell, tmp_path: Path) -> None:
    service = wanted_service(ROOT, "pi", [])
    here = {str(tmp_path / Path(path).name): text for path, text in service.files.items()}
    for path, text in here.items():
        Path(path).write_text(text)
    same = type(service)(ROOT, here)
    assert differing(shell, same) == []
    assert commands(same, []) == [["sudo", "-n", "systemctl", "enable", "edgecrnn.service"]]


def test_folder_and_start_are_commands_of_their_own() -> None:
    assert folder_command(ROOT, "pi")[-3:] == ["-o", "pi", ROOT]
    assert start_command()[-2:] == ["start", "edgecrnn.service"]


@pytest.mark.parametrize("root", ["/home/pi/x", "relative", "/opt/a b", "/opt/$x", "/opt/a\n"])
def test_a_root_that_a_service_cannot_see_is_refused(root: str) -> None:
    with pytest.raises(EdgecrnnError, match="take /opt/edgecrnn"):
        wanted_service(root, "pi", [])


def test_a_sudo_that_asks_for_a_password_is_a_sentence(board: Board, shell: SshShell) -> None:
    _program(board, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
    with pytest.raises(EdgecrnnError, match="leave --service out"):
        sudo(shell, folder_command(ROOT, "pi"))


def test_a_folder_of_somebody_elses_is_refused(board: Board, shell: SshShell) -> None:
    _program(board, "stat", "echo pi")
    check_owner(shell, ROOT, "pi")
    with pytest.raises(EdgecrnnError, match="log in as pi"):
        check_owner(shell, ROOT, "root")


def test_a_board_without_sudo_is_a_sentence(shell: SshShell) -> None:
    with pytest.raises(EdgecrnnError, match="expected sudo on the board, got none"):
        sudo(shell, folder_command(ROOT, "pi"))


def test_the_texts_arrive_whole_and_the_agent_is_told(
    board: Board, shell: SshShell, tmp_path: Path
) -> None:
    root = tmp_path / "opt"
    root.mkdir()
    (board.bin / "tee").symlink_to("/usr/bin/tee")
    _program(board, "sudo", f'echo "$*" >> {tmp_path}/told')
    agent_python = root / "current/environment/bin/python"
    agent_python.parent.mkdir(parents=True)
    agent_python.write_text(f'#!/bin/sh\necho "agent $*" >> {tmp_path}/told\necho "{{}}"\n')
    agent_python.chmod(0o755)
    texts = wanted_service(ROOT, "pi", []).files
    service = type(wanted_service(ROOT, "pi", []))(str(root), texts)
    assert "edgecrnn.service" in take_over(shell, service, list(texts), Agent(shell, str(root)))
    assert (root / "edgecrnn.service").read_text() == texts["/etc/systemd/system/edgecrnn.service"]
    told = (tmp_path / "told").read_text()
    assert "-n systemctl daemon-reload" in told
    assert told.splitlines()[-1].endswith("service systemd")


def _program(board: Board, name: str, script: str) -> None:
    path = board.bin / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
