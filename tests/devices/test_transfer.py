"""Files that arrive whole, go on after a cut, and are not sent twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.devices.board import Board

from edgecrnn.devices.ssh import SshSettings, SshShell, connect
from edgecrnn.devices.transfer import send
from edgecrnn.runtime.errors import EdgecrnnError

if shutil.which("rsync") is None:
    pytest.skip("rsync is not installed (apt install rsync)", allow_module_level=True)

SIZE = 8_000_000


@pytest.fixture
def shell(board: Board) -> Iterator[SshShell]:
    with connect("board", SshSettings(ssh_config=str(board.config))) as opened:
        assert isinstance(opened, SshShell)
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "it's a bundle.edgecrnn"
    path.write_bytes(os.urandom(SIZE))
    return path


def test_a_file_arrives_whole_and_only_once(board: Board, shell: SshShell, file: Path) -> None:
    there = board.folder / "in $coming" / "x"
    sent = send(shell, [file], str(there))
    assert (there / file.name).read_bytes() == file.read_bytes()
    assert SIZE < sent < SIZE * 1.1
    assert send(shell, [file], str(there)) < 10_000


def test_what_was_there_is_not_sent_again(board: Board, shell: SshShell, file: Path) -> None:
    there = board.folder / "incoming"
    there.mkdir()
    (there / file.name).write_bytes(file.read_bytes()[: SIZE * 3 // 4])
    assert send(shell, [file], str(there)) < SIZE // 2
    assert (there / file.name).read_bytes() == file.read_bytes()


def test_a_beginning_of_something_else_is_replaced(
    board: Board, shell: SshShell, file: Path
) -> None:
    there = board.folder / "incoming"
    there.mkdir()
    (there / file.name).write_bytes(b"\0" * (SIZE // 2))
    send(shell, [file], str(there))
    assert (there / file.name).read_bytes() == file.read_bytes()


def test_a_kill_in_the_middle_and_the_next_goes_on(
    board: Board, shell: SshShell, file: Path
) -> None:
    # A slow wire: the board's rsync is given 1 MB a second by the one here.
    there = board.folder / "incoming"
    code = (
        "import sys; from pathlib import Path\n"
        "import edgecrnn.devices.transfer as t; import subprocess\n"
        "from edgecrnn.devices.ssh import SshSettings, connect\n"
        "real = subprocess.run\n"
        "def slow(words, **more):\n"
        "    if words[0] == 'rsync': words = ['rsync', '--bwlimit=1000', *words[1:]]\n"
        "    return real(words, **more)\n"
        "subprocess.run = slow\n"
        "with connect('board', SshSettings(ssh_config=sys.argv[1])) as shell:\n"
        "    t.send(shell, [Path(sys.argv[2])], sys.argv[3])\n"
    )
    words = [sys.executable, "-c", code, str(board.config), str(file), str(there)]
    child = subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    arrived = there / file.name
    while time.monotonic() < until and not (arrived.exists() and arrived.stat().st_size > 0):
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    time.sleep(0.5)
    part = arrived.stat().st_size
    assert 0 < part < SIZE
    assert send(shell, [file], str(there)) < SIZE - part + SIZE // 10
    assert arrived.read_bytes() == file.read_bytes()


def test_a_board_without_rsync(board: Board, shell: SshShell, file: Path) -> None:
    (board.bin / "rsync").unlink()
    with pytest.raises(EdgecrnnError, match="expected rsync on the board, got none"):
        send(shell, [file], str(board.folder / "incoming"))


def test_a_folder_that_cannot_be_made(board: Board, shell: SshShell, file: Path) -> None:
    (board.folder / "taken").write_text("a file")
    with pytest.raises(EdgecrnnError, match=r"board: expected to make .*taken/x, got"):
        send(shell, [file], str(board.folder / "taken/x"))


def test_a_full_disk(shell: SshShell, small_disk: Path, file: Path) -> None:
    with pytest.raises(EdgecrnnError, match="got a full disk"):
        send(shell, [file], str(small_disk / "incoming"))
