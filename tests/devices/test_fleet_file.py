"""fleet.toml: what it may say, whose setting wins, and the sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.fleet_file import read_fleet_file
from edgecrnn.runtime.errors import EdgecrnnError

FILE = """
[all]
camera = "0"
patience = 90

[groups.doors]
camera = "/dev/video2"
run = ["--sink", "mqtt://broker/doors"]

[groups.slow]
patience = 300
camera = "1"

[[hosts]]
host = "pi@door-1.local"
groups = ["doors"]

[[hosts]]
host = "pi@door-2.local"
groups = ["slow", "doors"]
camera = "rtsp://10.0.0.7/main"
port = 2222

[[hosts]]
host = "pi@door-3.local"
groups = ["doors", "slow"]

[[hosts]]
host = "yard"
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text)
    return path


def test_settings_of_a_board_win_over_its_groups_and_those_over_all(tmp_path: Path) -> None:
    pytest.importorskip("pyinfra", reason="the extra fleet is not installed")
    from edgecrnn.devices.fleet import fleet_boards

    file = read_fleet_file(_written(tmp_path, FILE))
    base = FlashSettings(bundle="door.edgecrnn", key="mine")
    boards = {board.host: board for board in fleet_boards(file, base, {})}
    first, second, third, yard = (board.settings for board in boards.values())
    assert boards["pi@door-3.local"].groups == ("doors", "slow")
    assert (first.camera, first.patience) == ("/dev/video2", 90)
    assert first.run == ("--sink", "mqtt://broker/doors")
    assert (second.camera, second.patience, second.ssh.port) == ("rtsp://10.0.0.7/main", 300, 2222)
    # Of two groups the later one in the file wins, however a board orders them.
    assert third.camera == "1"
    assert (yard.camera, yard.patience, yard.run, yard.ssh.port) == ("0", 90, (), None)
    assert {(each.settings.bundle, each.settings.key) for each in boards.values()} == {
        ("door.edgecrnn", "mine")
    }

    given = fleet_boards(file, base, {"camera": "9"})
    assert {board.settings.camera for board in given} == {"9"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected at least one board, got none; add [[hosts]]"),
        ("hosts = []", "expected at least one board, got none"),
        ("hosts = 3", "expected at least one board, got 3"),
        ("[[hosts]\n", "expected TOML, got"),
        ("[[host]]\n", "got 'host' (did you mean 'hosts'?)"),
        ("hosts = ['pi@a']", "board 1: expected a table of settings, got 'pi@a'"),
        ("[[hosts]]\nport = 22", "board 1: expected how ssh calls it, got none; add host"),
        ("[[hosts]]\nhots = 'a'", "board 1: expected the keys host, groups"),
        ("[[hosts]]\nhost = 'a b'", "expected USER@HOST such as pi@raspberrypi.local as host"),
        ("[[hosts]]\nhost = '-oProxyCommand=x'", "expected USER@HOST such as"),
        ("[[hosts]]\nhost = '@docker/x'", "expected USER@HOST such as"),
        ("[[hosts]]\nhost = 7", "expected USER@HOST such as"),
        ("[[hosts]]\nhost = 'a'\n[[hosts]]\nhost = 'a'", "got 'a' as board 2 and as board 1"),
        ("[[hosts]]\nhost = 'a'\ncamra = '1'", "board 1 (a): expected the keys"),
        ("[[hosts]]\nhost = 'a'\ncamra = '1'", "got 'camra' (did you mean 'camera'?)"),
        ("[[hosts]]\nhost = 'a'\ncamera = 1", "board 1 (a): camera: expected str, got 1"),
        ("[[hosts]]\nhost = 'a'\npatience = 0", "patience: expected 1 to 3600 s, got 0"),
        ("[[hosts]]\nhost = 'a'\nport = 0", "port: expected 1 to 65535, got 0"),
        ("[[hosts]]\nhost = 'a'\nkey = 'k'", "got 'key', which holds for all of them"),
        ("[all]\nbundle = 'b'\n[[hosts]]\nhost = 'a'", "give it on the command line"),
        ("[all]\nhost = 'b'\n[[hosts]]\nhost = 'a'", "all: expected the keys camera"),
        ("[[hosts]]\nhost = 'a'\ngroups = 'g'", "groups: expected a list of names, got 'g'"),
        ("[[hosts]]\nhost = 'a'\ngroups = ['g']", "none is there; add [groups.NAME]"),
        (
            "[groups.doors]\n[[hosts]]\nhost = 'a'\ngroups = ['door']",
            "expected one of the file's groups (doors), got 'door' (did you mean 'doors'?)",
        ),
        ("[groups]\ndoors = 3\n[[hosts]]\nhost = 'a'", "groups.doors: expected a table"),
        ("groups = 3\n[[hosts]]\nhost = 'a'", "groups: expected a table"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(EdgecrnnError) as raised:
        read_fleet_file(_written(tmp_path, text))
    assert sentence in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "fleet.toml"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected the file that lists the boards, got No such"):
        read_fleet_file(tmp_path / "none.toml")
