"""Damaged and forged releases on the board's own path: some hundred of the fuzzer's 10,000."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import write_bundle

pytest.importorskip("cryptography", reason="the extra flash is not installed")

FILE = Path(__file__).parents[3] / "bench" / "fuzz_bundles.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz_bundles", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = load()


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Any]:
    yield fuzz.Sent(tmp_path, write_bundle(tmp_path / "small.edgecrnn"))


def test_some_hundred_changes_are_refused_each_by_a_sentence(sent: Any) -> None:
    ends = fuzz.fuzzed(sent, 300, seed=7)
    assert fuzz.failed(ends) == []
    assert {way for way, _ in ends} >= set(fuzz.CHANGES)
    assert sum(count for (_, end), count in ends.items() if end == "refused") > 280


def test_what_is_taken_wrongly_is_seen(sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer can fail: a board that looks at no signature takes another manifest."""
    monkeypatch.setattr(fuzz, "prove", lambda board, folder, name: sent.proof)
    assert any("another manifest: taken" in line for line in fuzz.failed(fuzz.fuzzed(sent, 30, 1)))

    def crash(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(fuzz, "prove", crash)
    assert any("CRASHED RecursionError" in line for line in fuzz.failed(fuzz.fuzzed(sent, 30, 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"version":1}' + b" " * 70_000,
        json.dumps({"version": 1, "name": "a/../b"}).encode(),
        b"\xff\xfe",
        b"",
        b"null",
        b'{"version":NaN}',
    ],
)
def test_what_is_no_release_or_signature(sent: Any, data: bytes) -> None:
    for name in ("release.json", "bundle.edgecrnn.sig", "bundle.edgecrnn"):
        assert sent.tried(name, data) == "refused"


def test_files_that_are_links_or_missing(sent: Any, tmp_path: Path) -> None:
    for name, data in sent.files.items():
        file = sent.folder / name
        file.unlink()
        with pytest.raises(fuzz.EdgecrnnError, match="expected a file, got none"):
            fuzz.prove(sent.board, sent.folder, sent.name)
        (tmp_path / name).write_bytes(data)
        file.symlink_to(tmp_path / name)
        with pytest.raises(fuzz.EdgecrnnError, match="expected a file, got none"):
            fuzz.prove(sent.board, sent.folder, sent.name)
        file.unlink()
        file.write_bytes(data)
