"""What a card brings at its first boot: run for real, in a folder, without systemd."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.devices.a_card import Card

from edgecrnn.runtime.files import sha256

STEPS = ("root", "environment", "release", "install", "service", "switch", "start", "watch", "mark")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Card(tmp_path / "card")
    yield made
    made.cut_power()


def test_a_cut_at_every_step_and_the_next_boot_brings_it_all_the_same(card: Card) -> None:
    written = card.write()
    for step in STEPS:
        card.boot(stop_at=step)
        running = card.root / "current"
        assert not running.is_symlink() or running.resolve().name == written.release
    assert re.fullmatch(r"edgecrnn: door runs: \d+ frames classified .*\n", card.boot())
    status = card.ask("status")
    assert status["current"] == written.release and status["healthy"] and not status["on_trial"]
    assert status["trusted"] == [written.key_id]
    # What was brought is not brought again, and what was on its way is gone.
    assert card.boot() == ""
    assert not list((card.root / "incoming").glob("*/*"))
    log = (card.volume / "edgecrnn-first-boot.txt").read_text().splitlines()
    assert len(log) == 1 and "door runs" in log[0]
    # A card that is written again brings the next release; one that is refused leaves this one.
    card.write(replace(card.settings, budget=0.001))
    assert "self-test: expected a step within 0.001 ms" in card.boot()
    assert card.ask("status")["current"] == written.release


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("release/bundle.edgecrnn", "expected release/bundle.edgecrnn as it was written"),
        ("wheels/here-1.0-py3-none-any.whl", "as it was written, got it damaged; write the card"),
        ("payload.json", "expected payload.json in"),
    ],
)
def test_a_card_that_lost_bits_brings_nothing(card: Card, name: str, sentence: str) -> None:
    card.write()
    file = card.volume / "edgecrnn" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 255
    file.write_bytes(data)
    assert sentence in card.boot()
    assert not card.root.exists()
    assert sentence in (card.volume / "edgecrnn-first-boot.txt").read_text()


@pytest.mark.parametrize("text", ["{}", "[]", '{"id": "0123456789abcdef", "root": "/opt"}'])
def test_a_payload_that_is_none_is_told_on_the_card(card: Card, text: str) -> None:
    card.write()
    (card.volume / "edgecrnn/payload.json").write_text(text)
    assert "expected payload.json in" in card.boot()
    assert "write the card again" in (card.volume / "edgecrnn-first-boot.txt").read_text()


def test_a_single_bit_of_the_payload_is_missed(card: Card) -> None:
    card.write()
    file = card.volume / "edgecrnn/payload.json"
    file.write_text(file.read_text().replace('"patience": 300', '"patience": 301'))
    assert "expected payload.json in" in card.boot()
    assert not card.root.exists()


def test_a_card_for_another_image_says_so(card: Card) -> None:
    card.write()
    file = card.volume / "edgecrnn/payload.json"
    payload = {**json.loads(file.read_text()), "python": "3.9"}
    del payload["id"]
    identity = sha256(json.dumps(payload, sort_keys=True).encode())[:16]
    file.write_text(json.dumps({**payload, "id": identity}))
    assert "expected Python 3.9, got 3." in card.boot()
    assert not card.root.exists()
