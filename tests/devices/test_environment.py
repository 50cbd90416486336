"""An environment on a board: whole, or none; made once; of exactly the wheels that were meant."""

from __future__ import annotations

import ast
import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.devices.board import Board
from tests.devices.tiny_wheels import tiny_wheel

from edgecrnn.devices.environment import Made, make_environment
from edgecrnn.devices.ssh import SshSettings, SshShell, connect
from edgecrnn.runtime.errors import EdgecrnnError

NAME = "0123456789abcdef"


@pytest.fixture
def shell(board: Board) -> Iterator[SshShell]:
    with connect("board", SshSettings(ssh_config=str(board.config))) as opened:
        assert isinstance(opened, SshShell)
        yield opened


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, Path]:
    made = [tiny_wheel(tmp_path / "wheels", "edgecrnn"), tiny_wheel(tmp_path / "wheels", "tiny")]
    return {path.name: path for path in made}


def _folder(board: Board) -> Path:
    return board.folder / "its root/environments" / NAME


def _made(board: Board, shell: SshShell, wheels: dict[str, Path], offline: bool = True) -> Made:
    return make_environment(shell, str(board.folder / "its root"), NAME, wheels, offline)


def test_it_is_made_once_and_holds_what_was_sent(
    board: Board, shell: SshShell, wheels: dict[str, Path]
) -> None:
    first = _made(board, shell, wheels)
    assert first.made and first.sent > 0
    python = _folder(board) / "bin/python"
    code = "import edgecrnn, tiny; print(tiny.VERSION)"
    said = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    assert said.stdout == "1.0\n", said.stderr
    assert not list((board.folder / "its root/incoming/wheels").iterdir())
    assert _made(board, shell, wheels) == Made(made=False, sent=0)


def test_what_a_kill_left_is_made_anew(
    board: Board, shell: SshShell, wheels: dict[str, Path]
) -> None:
    half = _folder(board) / "lib/half"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    incoming = board.folder / "its root/incoming/wheels" / NAME
    incoming.mkdir(parents=True)
    for name, path in wheels.items():
        data = path.read_bytes()
        # Half of the one, and as many bytes of something else of the other.
        (incoming / name).write_bytes(data[:200] if name.startswith("tiny") else b"x" * len(data))
    assert _made(board, shell, wheels).made
    assert not half.exists() and (_folder(board) / "complete").is_file()


def test_the_board_is_killed_while_it_makes_one(
    board: Board, shell: SshShell, wheels: dict[str, Path]
) -> None:
    script = (Path(__file__).parent / "killed_environment.py").resolve()
    python = board.bin / "python3"
    real = python.readlink()
    python.unlink()
    python.write_text(f'#!/bin/sh\nexec {real} {script} "$@"\n')
    python.chmod(0o755)
    with pytest.raises(EdgecrnnError, match=r"^board: expected"):
        _made(board, shell, wheels)
    assert _folder(board).is_dir() and not (_folder(board) / "complete").exists()
    python.unlink()
    python.symlink_to(real)
    assert _made(board, shell, wheels).made


def test_from_an_index_only_by_its_hash(
    board: Board,
    shell: SshShell,
    wheels: dict[str, Path],
    tmp_path: Path,
) -> None:
    """The index is a folder here, which the board's own pip.conf names."""
    index = tmp_path / "index"
    (board.folder / ".config/pip").mkdir(parents=True)
    conf = board.folder / ".config/pip/pip.conf"
    conf.write_text(f"[global]\nno-index = true\nfind-links = {index}\n")
    index.mkdir()
    # Another one of that name and version.
    tiny_wheel(index, "tiny", "VERSION = 'evil'")
    with pytest.raises(EdgecrnnError, match=r"board: expected pip to install.*HASHES.*--offline"):
        _made(board, shell, wheels, offline=False)
    assert not _folder(board).exists()
    (index / "tiny-1.0-py3-none-any.whl").write_bytes(
        wheels["tiny-1.0-py3-none-any.whl"].read_bytes()
    )
    made = _made(board, shell, wheels, offline=False)
    assert made == Made(made=True, sent=0)


def test_a_full_disk(shell: SshShell, small_disk: Path, wheels: dict[str, Path]) -> None:
    (small_disk / "somebody's").write_bytes(b"x" * 2_000_000)
    with pytest.raises(EdgecrnnError, match=r"board: expected room.*full disk; free"):
        make_environment(shell, str(small_disk), NAME, wheels, True)
    assert not (small_disk / "environments" / NAME).exists()


def test_a_folder_that_cannot_be_written(
    board: Board, shell: SshShell, wheels: dict[str, Path]
) -> None:
    (board.folder / "taken").write_text("a file")
    with pytest.raises(EdgecrnnError, match=r"board: expected to write into .*taken, got"):
        make_environment(shell, str(board.folder / "taken"), NAME, wheels, True)


def test_two_at_once_make_it_once(board: Board, shell: SshShell, wheels: dict[str, Path]) -> None:
    lock = _folder(board).with_name(f"{NAME}.lock")
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code = (
            "import sys; from pathlib import Path\n"
            "from edgecrnn.devices.environment import make_environment\n"
            "from edgecrnn.devices.ssh import SshSettings, connect\n"
            "wheels = {Path(path).name: Path(path) for path in sys.argv[4:]}\n"
            "with connect('board', SshSettings(ssh_config=sys.argv[1])) as shell:\n"
            "    print(make_environment(shell, sys.argv[2], sys.argv[3], wheels, True).made)\n"
        )
        words = [sys.executable, "-c", code, str(board.config), str(board.folder / "its root")]
        words += [NAME, *map(str, wheels.values())]
        both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        time.sleep(1)
    said = sorted(process.communicate()[0].strip() for process in both)
    assert said == ["False", "True"]


def test_one_who_waits_in_vain_is_told(board: Board, root: Path) -> None:
    lock = _folder(board).with_name(f"{NAME}.lock")
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words = [sys.executable, str(root / "devices/_environment_script.py")]
        words += [str(board.folder / "its root"), NAME, "[]", "sent", "0.3"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "somebody else who has been at it for 0.3 s; wait" in done.stdout


def test_the_script_is_python_that_the_oldest_board_can_read(root: Path) -> None:
    text = (root / "devices/_environment_script.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 10))


def test_a_python_that_answers_something_else(
    board: Board, shell: SshShell, wheels: dict[str, Path]
) -> None:
    (board.bin / "python3").unlink()
    (board.bin / "python3").write_text("#!/bin/sh\necho hello\n")
    (board.bin / "python3").chmod(0o755)
    with pytest.raises(EdgecrnnError, match=r"board: expected its python3 to make an environment"):
        _made(board, shell, wheels)
