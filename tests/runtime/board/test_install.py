from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.board.a_board import (
    ENVIRONMENT,
    KEY,
    OTHER_KEY,
    ABoard,
    make_environment,
    public,
)
from tests.runtime.colors import golden_of_colors

from edgecrnn.runtime.board.durable import point
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.signature import key_id

PIN = ("--pin", public(KEY))
Make = Callable[..., Path]


def test_a_release_is_installed_once_it_is_proven(board: ABoard, bundle_path: Path) -> None:
    name = board.send(bundle_path, ["--source", "0", "--threads", "2"])
    answer = board.ask("install", name, *PIN)
    assert answer["installed"] and answer["pinned"]
    assert answer["key_id"] == key_id(public(KEY))
    tested = answer["selftest"]
    assert (tested["variant"], tested["delegate"]) == ("float32", "cpu")
    assert tested["golden_difference"] <= tested["tolerance"]
    assert 0 < tested["p50_ms"] <= tested["p95_ms"]
    folder = board.board.release(name)
    assert sorted(entry.name for entry in folder.iterdir()) == [
        *("bundle.edgecrnn", "bundle.edgecrnn.sig", "environment", "proven.json", "release.json")
    ]
    assert (folder / "environment" / "complete").is_file()
    assert (folder / "bundle.edgecrnn").stat().st_mode & 0o777 == 0o444
    assert board.running() is None


def test_a_second_install_of_the_same_does_nothing(board: ABoard, bundle_path: Path) -> None:
    name = board.install(bundle_path)
    made = (board.board.release(name) / "proven.json").stat().st_mtime_ns
    board.send(bundle_path)
    answer = board.ask("install", name)
    assert answer["installed"] is False
    assert answer["selftest"]["variant"] == "float32"
    assert (board.board.release(name) / "proven.json").stat().st_mtime_ns == made
    assert not board.board.incoming(name).exists()


def test_what_came_is_compared_with_what_was_sent(board: ABoard, bundle_path: Path) -> None:
    name = board.send(bundle_path)
    data = bundle_path.read_bytes()
    wanted = {"sha256": sha256(data), "size": len(data)}
    asked = json.dumps({"files": {"bundle.edgecrnn": wanted}}).encode()
    file = board.board.incoming(name) / "bundle.edgecrnn"
    assert board.ask("receive-check", name, stdin=asked)["complete"]
    file.write_bytes(data[:1000])
    assert board.ask("receive-check", name, stdin=asked)["partial"] == {"bundle.edgecrnn": 1000}
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert board.ask("receive-check", name, stdin=asked)["wrong"] == ["bundle.edgecrnn"]
    assert board.ask("receive-check", name, stdin=asked)["missing"] == ["bundle.edgecrnn"]


@pytest.mark.parametrize(
    "asked", [b"", b"[]", b'{"files": {"../x": {"sha256": "", "size": 1}}}', b'{"files": [1]}']
)
def test_a_list_that_is_none_is_refused(board: ABoard, asked: bytes) -> None:
    assert "stdin: expected" in board.ask("receive-check", "0" * 16, stdin=asked)["error"]


def test_without_a_key_to_pin_nothing_is_trusted(board: ABoard, bundle_path: Path) -> None:
    assert "none at all" in board.ask("install", board.send(bundle_path))["error"]


def test_a_key_is_pinned_by_what_it_signed_only(board: ABoard, bundle_path: Path) -> None:
    answer = board.ask("install", board.send(bundle_path, key=OTHER_KEY), *PIN)
    assert "expected a key that is trusted" in answer["error"]
    assert not board.board.trusted.exists()


def test_another_key_is_refused_once_one_is_pinned(board: ABoard, bundle_path: Path) -> None:
    board.install(bundle_path)
    other = board.send(bundle_path, ["--threads", "2"], OTHER_KEY)
    answer = board.ask("install", other, "--pin", public(OTHER_KEY))
    assert "expected a key that is trusted here" in answer["error"]
    assert not board.board.release(other).exists()
    board.ask("trust", public(OTHER_KEY))
    assert board.ask("install", other)["installed"]


def test_trusted_keys_that_cannot_be_read_are_no_reason_to_pin(
    board: ABoard, bundle_path: Path
) -> None:
    board.board.trusted.write_text("{}")
    assert "keys that are trusted" in board.ask("install", board.send(bundle_path), *PIN)["error"]


def test_the_last_key_is_not_removed(board: ABoard, bundle_path: Path) -> None:
    board.install(bundle_path)
    assert "trust the new key first" in board.ask("trust", public(KEY), "--remove")["error"]
    board.ask("trust", public(OTHER_KEY))
    assert board.ask("trust", public(KEY), "--remove") == {"trusted": [key_id(public(OTHER_KEY))]}
    assert "expected one that is trusted" in board.ask("trust", public(KEY), "--remove")["error"]
    assert "64 hexadecimal" in board.ask("trust", "abc")["error"]


@pytest.mark.parametrize("name", ["bundle.edgecrnn", "bundle.edgecrnn.sig", "release.json"])
def test_a_flipped_bit_is_refused(board: ABoard, bundle_path: Path, name: str) -> None:
    sent = board.send(bundle_path)
    file = board.board.incoming(sent) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert "expected" in board.ask("install", sent, *PIN)["error"]
    assert not board.board.release(sent).exists()
    assert not board.board.trusted.exists()


def test_a_link_in_the_place_of_a_file_is_refused(board: ABoard, bundle_path: Path) -> None:
    sent = board.send(bundle_path)
    file = board.board.incoming(sent) / "bundle.edgecrnn"
    file.unlink()
    file.symlink_to(bundle_path)
    assert "expected a file, got none" in board.ask("install", sent, *PIN)["error"]


def test_release_json_of_another_bundle_is_refused(
    board: ABoard, bundle_path: Path, make_bundle: Make
) -> None:
    sent = board.send(bundle_path)
    other = board.send(make_bundle(name="other"))
    for name in ("bundle.edgecrnn", "bundle.edgecrnn.sig"):
        (board.board.incoming(other) / name).replace(board.board.incoming(sent) / name)
    assert "expected it to name the bundle" in board.ask("install", sent, *PIN)["error"]


def test_an_environment_that_is_not_complete_is_refused(board: ABoard, bundle_path: Path) -> None:
    sent = board.send(bundle_path)
    make_environment(board.board, "f" * 16)
    (board.board.environment(ENVIRONMENT) / "complete").rename(board.board.root / "gone")
    words = board.words("install", sent, *PIN)
    words[0] = words[0].replace(ENVIRONMENT, "f" * 16)
    answer = json.loads(subprocess.run(words, capture_output=True).stdout)
    assert "expected an environment that is complete" in answer["error"]
    (board.board.root / "gone").rename(board.board.environment(ENVIRONMENT) / "complete")


def test_wrong_golden_answers_are_refused(board: ABoard, make_bundle: Make) -> None:
    wrong = golden_of_colors(True)
    wrong["float32"] = np.ascontiguousarray(wrong["float32"][:, ::-1])
    sent = board.send(make_bundle(golden=wrong))
    error = board.ask("install", sent, *PIN)["error"]
    assert "golden frames" in error
    assert not board.board.release(sent).exists()


def test_a_model_that_kills_its_process_is_a_sentence(board: ABoard, make_bundle: Make) -> None:
    """Signed by a trusted key all the same: the file may have been damaged before it was signed."""
    path = make_bundle()
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    model = bytearray(files["float32.tflite"])
    old = sha256(bytes(model))
    model[4:] = b"\xff" * (len(model) - 4)
    new = sha256(bytes(model))
    files["float32.tflite"] = bytes(model)
    files["manifest.json"] = files["manifest.json"].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert "self-test" in board.ask("install", board.send(path), *PIN)["error"]


def test_a_step_over_the_budget_is_refused(board: ABoard, bundle_path: Path) -> None:
    sent = board.send(bundle_path, budget_ms=0.0001)
    assert "expected a step within 0.0001 ms" in board.ask("install", sent, *PIN)["error"]
    assert board.ask("install", sent, *PIN, "--budget", "1000")["installed"]


def test_an_engine_that_is_not_there_is_refused(board: ABoard, bundle_path: Path) -> None:
    sent = board.send(bundle_path, ["--delegate", "nothing"])
    assert "self-test: " in board.ask("install", sent, *PIN)["error"]


def test_an_older_bundle_is_refused_unless_allowed(board: ABoard, make_bundle: Make) -> None:
    name = board.install(make_bundle(created="2026-06-01T00:00:00Z"))
    point(board.board.current, f"releases/{name}")
    old = board.send(make_bundle(created="2026-04-01T00:00:00Z"))
    assert "--allow-downgrade" in board.ask("install", old)["error"]
    assert board.ask("install", old, "--allow-downgrade")["installed"]


def test_an_older_one_that_is_there_still_is_refused_unless_allowed(
    board: ABoard, make_bundle: Make
) -> None:
    old = board.install(make_bundle(created="2026-04-01T00:00:00Z"))
    new = board.install(make_bundle(created="2026-06-01T00:00:00Z"))
    point(board.board.current, f"releases/{new}")
    assert "--allow-downgrade" in board.ask("install", old)["error"]
    assert board.ask("install", old, "--allow-downgrade")["installed"] is False
    assert board.ask("install", new)["installed"] is False


@pytest.mark.parametrize("word", ["../../etc", "0" * 15, "G" * 16, ""])
def test_what_is_no_id_is_refused(board: ABoard, word: str) -> None:
    for command in ("install", "switch", "outcome", "verify", "receive-check"):
        assert "expected an id" in board.ask(command, word, stdin=b'{"files": {}}')["error"]
