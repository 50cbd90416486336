"""`edgecrnn flash BUNDLE --boot-volume DIR`, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.devices.a_card import Card, pip_wheel

from edgecrnn.cli import main
from edgecrnn.devices import boot_volume


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    """Its wheels stand for those of the package index."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Card(tmp_path / "card")
    wheels = {path.name: path for path in (made.wheel, pip_wheel())}
    monkeypatch.setattr(boot_volume, "fetch", lambda wanted, target, cache: wheels)
    monkeypatch.setattr(boot_volume, "resolve", lambda wanted, target: (wheels, "e" * 16))
    return made


def words(card: Card, *more: str) -> list[str]:
    return ["flash", str(card.bundle), "--boot-volume", str(card.volume), *more]


def test_the_card_of_a_raspberry_pi(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    (card.volume / "issue.txt").write_text("Raspberry Pi reference\n")
    assert main(words(card, "--profile", "raspberry-pi-5", "--camera", "0")) == 0
    said = capsys.readouterr().out
    payload = json.loads((card.volume / "edgecrnn/payload.json").read_text())
    assert f"holds release {payload['release']}" in said and "edgecrnn-first-boot.txt" in said
    assert payload["python"] == "3.13" and payload["root"] == "/opt/edgecrnn"
    assert payload["service"] is True


def test_what_is_run_goes_along_and_the_json_says_what_lies_there(
    card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    more = (
        "--profile",
        "linux-aarch64",
        "--image",
        "ubuntu-24.04",
        "--json",
        "--",
        "--sink",
        "jsonl",
    )
    assert main(words(card, *more)) == 0
    written = json.loads(capsys.readouterr().out)
    release = json.loads((card.volume / "edgecrnn/release/release.json").read_text())
    assert release["run"] == ["--source", "0", "--sink", "jsonl"]
    assert set(written) == {"release", "environment", "key_id", "size"}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "--image: expected trixie, ubuntu-24.04 or ubuntu-22.04, got nothing"),
        (("--image", "bookworm"), "image: expected one of trixie"),
        (("--inventory", "fleet.toml"), "expected no board beside it, got fleet.toml"),
        (("--dry-run",), "--dry-run: expected a board, got a card; leave it out"),
        (("--port", "22"), "--port: expected a board, got a card"),
        (("--profile", "jetson-nano", "--image", "ubuntu-22.04"), "cannot run edgecrnn"),
        (("--profile", "rasberry-pi-5"), "did you mean 'raspberry-pi-5'"),
        (("--image", "trixie", "--profile", "raspberry-pi-5", "--root", "/home/x"), "root: exp"),
        (("--image", "trixie", "--", "--nonsense"), "arguments of edgecrnn run on the board"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_and_writes_nothing(
    card: Card, more: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = card.tree()
    assert main(words(card, *more)) == 2
    assert sentence in capsys.readouterr().err
    assert card.tree() == before


def test_a_board_and_a_card_at_once(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["flash", str(card.bundle), "pi@board", "--boot-volume", str(card.volume)]
    assert main(given) == 2
    assert "expected no board beside it, got pi@board" in capsys.readouterr().err


def test_an_image_without_a_card(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash", str(card.bundle), "pi@board", "--image", "trixie"]) == 2
    assert "--image: expected --boot-volume with it" in capsys.readouterr().err
