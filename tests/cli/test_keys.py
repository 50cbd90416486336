"""`edgecrnn keys`, and the trust of a board reached over a real sshd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.devices.board import Board as Reached
from tests.devices.board import running_board
from tests.runtime.board.a_board import ENVIRONMENT, KEY, ABoard, public

from edgecrnn.cli import main
from edgecrnn.runtime.board.trust import trust
from edgecrnn.runtime.signature import key_id

ROOT = ".local/share/edgecrnn"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config/edgecrnn/keys"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Reached]:
    """Of its release there is what the agent needs; one key is trusted."""
    with running_board(tmp_path / "board") as running:
        agent = ABoard(running.folder / ROOT)
        release = agent.board.release("0" * 16)
        release.mkdir(parents=True)
        (release / "environment").symlink_to(f"../../environments/{ENVIRONMENT}")
        agent.board.current.symlink_to(f"releases/{release.name}")
        trust(agent.board, public(KEY))
        yield running


def test_a_key_is_made_listed_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    assert "edgecrnn keys new makes one" in capsys.readouterr().out
    assert main(["keys", "new"]) == 0 and main(["keys", "new", "lab"]) == 0
    assert f"keep a copy of {folder}/default.key" in capsys.readouterr().out
    assert main(["keys", "show", "lab"]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown["public"] in (folder / "lab.pub").read_text()
    assert shown["id"] == key_id(shown["public"])
    assert main(["keys", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["NAME", "default", "lab"]
    assert rows[2][1:] == [shown["id"], str(folder / "lab.pub")]


def test_nothing_of_a_private_key_is_ever_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["new"],
        ["show"],
        ["list"],
        ["new"],
        ["trust", "h", str(folder / "default.key")],
    ):
        main(["keys", *words])
    said = "".join(capsys.readouterr())
    secret = (folder / "default.key").read_text().splitlines()[1]
    assert len(secret) > 40 and secret not in said and "PRIVATE" not in said


def test_a_board_trusts_a_second_key_and_then_the_first_no_more(
    board: Reached, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "first.pub").write_text(f"{public(KEY)} first\n")
    main(["keys", "new", "second"])
    second = tmp_path / "config/edgecrnn/keys/second.pub"
    ids = sorted([key_id(public(KEY)), key_id(second.read_text()[:64])])
    capsys.readouterr()
    assert main(["keys", "trust", "board", str(second), "--json", *board.flags]) == 0
    assert json.loads(capsys.readouterr().out) == {"trusted": ids}
    words = ["keys", "trust", "board", str(tmp_path / "first.pub"), "--remove", *board.flags]
    assert main(words) == 0
    left = key_id(second.read_text()[:64])
    assert f"it trusts {left}\n" in capsys.readouterr().out
    # The only one stays: else the next to come would be pinned.
    assert main(["keys", "trust", "board", str(second), "--remove", *board.flags]) == 2
    assert "trust the new key first" in capsys.readouterr().err
    # And one that is not trusted cannot be removed.
    assert main(words) == 2
    assert "expected one that is trusted here" in capsys.readouterr().err


def test_a_board_without_a_release_has_nobody_to_ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.pub").write_text(f"{public(KEY)} k\n")
    with running_board(tmp_path / "bare") as bare:
        assert main(["keys", "trust", "board", str(tmp_path / "k.pub"), *bare.flags]) == 2
    assert "expected a release in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["new", "../x"], "name: expected letters"),
        (["new", "a", "b"], "unrecognized arguments: b"),
        (["show"], "expected a key, got none of that name; make one with edgecrnn keys new"),
        (["show", "-x"], "unrecognized arguments: -x"),
        (["trust", "h"], "the following arguments are required: PUBFILE"),
        (["trust", "h", "none.pub"], "none.pub: expected a key, got No such file or directory"),
        (["burn"], "invalid choice: 'burn'"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_key_is_never_made_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new"]) == 0
    before = (folder / "default.key").read_bytes()
    assert main(["keys", "new"]) == 2
    assert "expected no key of the name 'default' yet" in capsys.readouterr().err
    assert (folder / "default.key").read_bytes() == before


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "a b", "pi@x;reboot"])
def test_a_host_that_is_none(tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "k.pub").write_text(f"{public(KEY)} k\n")
    assert main(["keys", "trust", "--", host, str(tmp_path / "k.pub")]) == 2
    assert "host: expected USER@HOST" in capsys.readouterr().err
