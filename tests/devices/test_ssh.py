"""Reaching a board over the system's ssh, and every way in which it cannot be reached."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from tests.devices.board import Board

from edgecrnn.devices.ssh import SshSettings, SshShell, connect
from edgecrnn.runtime.errors import EdgecrnnError


def _settings(board: Board) -> SshSettings:
    return SshSettings(ssh_config=str(board.config))


def _said(host: str, settings: SshSettings) -> str:
    with pytest.raises(EdgecrnnError) as caught, connect(host, settings) as shell:
        shell.run(["true"])
    return str(caught.value)


def test_words_arrive_as_they_are_given(board: Board) -> None:
    words = ["a b", "$HOME", "it's", '"', "*", "", ";ls", "\\"]
    code = "import sys; print(sys.argv[1:]); print(sys.stdin.read()); sys.exit(3)"
    with connect("board", _settings(board)) as shell:
        ran = shell.run(["python3", "-c", code, *words], stdin="ä\n".encode())
        assert ran.code == 3 and ran.out.decode().splitlines()[0] == str(words)
        assert ran.out.decode().splitlines()[1] == "ä"
        # A command's own failure is not the connection's.
        assert shell.run(["ls", "/none"]).code != 0


def test_one_connection_for_all_commands_and_no_trace_of_it(board: Board) -> None:
    with connect("board", _settings(board)) as shell:
        assert isinstance(shell, SshShell)
        (socket_path,) = (word for word in shell.words if word.startswith("ControlPath="))
        folder = Path(socket_path.removeprefix("ControlPath=")).parent
        assert folder.is_dir()
        for _ in range(3):
            assert shell.run(["true"]).code == 0
    assert (board.folder / "sshd.log").read_text().count("Accepted publickey") == 1
    assert not folder.exists()


def test_no_such_host() -> None:
    said = _said("pi@no-such-board.invalid", SshSettings())
    assert said.startswith("pi@no-such-board.invalid: expected a host that can be found")


def test_connection_refused(board: Board) -> None:
    board.stop()
    assert "an ssh server, got the connection refused" in _said("board", _settings(board))


def test_another_host_key(board: Board) -> None:
    board.stop()
    board.new_host_key(trust=False)
    board.start()
    said = _said("board", _settings(board))
    assert "host key" in said and "ssh-keygen -R board" in said
    assert "somebody may be in between" in said


def test_a_host_never_seen(board: Board) -> None:
    board.known.write_text("")
    assert "log in once with ssh board" in _said("board", _settings(board))


def test_a_board_that_would_ask_for_a_password(board: Board) -> None:
    (board.folder / "authorized").write_text("")
    assert "ssh-copy-id board" in _said("board", _settings(board))


def test_a_server_that_never_answers(board: Board) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = SshSettings(
            port=silent.getsockname()[1], ssh_config=str(board.config), connect_timeout=1
        )
        assert "expected an answer, got none" in _said("board", settings)


def test_a_command_that_never_ends(board: Board) -> None:
    with connect("board", _settings(board)) as shell:
        shell.run(["true"])
        with pytest.raises(EdgecrnnError, match=r"expected an answer within 0\.5 s"):
            shell.run(["sleep", "100"], seconds=0.5)


def test_a_link_that_goes_dead_without_a_word(board: Board) -> None:
    """As where a cable is pulled: nothing comes, no end either; ssh's own signs of life end it."""
    with connect("board", _settings(board)) as shell:
        assert isinstance(shell, SshShell) and "ServerAliveInterval=5" in shell.words
        # A fifth of the patience, for the test's sake.
        shell.words = [word.replace("Interval=5", "Interval=1") for word in shell.words]
        shell.run(["true"])
        board.freeze()
        began = time.monotonic()
        with pytest.raises(EdgecrnnError, match=r"^board: expected .*, got "):
            shell.run(["true"], seconds=100)
        assert time.monotonic() - began < 30
        board.kill()


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "a b", "", "$(x)", "a;b", "a\nb"])
def test_what_is_no_host_never_reaches_ssh(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EdgecrnnError, match="expected USER@HOST"), connect(host, SshSettings()):
        pass
    assert not list(tmp_path.iterdir())


def test_a_configuration_that_is_not_there_or_no_configuration(board: Board) -> None:
    with (
        pytest.raises(EdgecrnnError, match="--ssh-config: expected a file"),
        connect("board", SshSettings(ssh_config="/none")),
    ):
        pass
    board.config.write_text("Colour blue\n")
    assert "an ssh configuration that ssh can read" in _said("board", _settings(board))
