"""An index of pictures, and what is found in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("voyager")
pytest.importorskip("tensorflow")

from tests.journey import edgecrnn

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.search import build_index, find

pytestmark = pytest.mark.slow

COLORS = {"red": (40, 40, 220), "green": (40, 200, 40), "blue": (220, 60, 40)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of three colors, and a bundle that was trained to tell them apart."""
    folder = tmp_path_factory.mktemp("search")
    rng = np.random.default_rng(0)
    for name, color in COLORS.items():
        for index in range(16):
            pixels = np.clip(rng.normal(color, 30, (32, 32, 3)), 0, 255).astype(np.uint8)
            (folder / "data" / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / "data" / name / f"{index}.png"), pixels)
    _edgecrnn(
        "train", folder / "data", "--task", "retrieve", "--set", "numbers=8", "--out",
        folder / "run", "--size", "32x32", "--epochs", "6", "--width", "0.5", "--units", "8",
        "--learning-rate", "0.003",
    )  # fmt: skip
    _edgecrnn(
        "convert", folder / "run", "--device", "linux-x86_64", "--out", folder / "a.edgecrnn",
        "--calibration-frames", "16", "--check", "16",
    )  # fmt: skip
    return folder


def _edgecrnn(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = edgecrnn(*words)
    assert done.returncode == code, done.stderr
    return done


def test_what_is_alike_is_found(folder: Path, tmp_path: Path) -> None:
    (folder / "data" / "broken.png").write_bytes(b"no picture")
    done = _edgecrnn("index", folder / "a.edgecrnn", folder / "data", "--out", tmp_path / "index")
    assert "48 pictures, 8 numbers each" in done.stdout and "skipped" in done.stderr
    (folder / "data" / "broken.png").unlink()
    for name in COLORS:
        done = _edgecrnn(
            "search", folder / "a.edgecrnn", tmp_path / "index",
            folder / "data" / name / "3.png", "--most", "5", "--json",
        )  # fmt: skip
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(hits) == 5 and hits[0]["alike"] > 0.99
        assert [hit["alike"] for hit in hits] == sorted((h["alike"] for h in hits), reverse=True)
        assert all(hit["picture"].startswith(name) for hit in hits)


def test_an_index_that_does_not_serve(folder: Path, tmp_path: Path) -> None:
    bundle, picture = open_bundle(folder / "a.edgecrnn"), folder / "data/red/0.png"
    with pytest.raises(EdgecrnnError, match="expected an index, got"):
        find(bundle, tmp_path, picture)
    path = tmp_path / "index"
    build_index(bundle, folder / "data" / "red", path)
    assert len(find(bundle, path, picture, most=100)) == 16
    head = json.loads((path / "index.json").read_text())
    (path / "index.json").write_text(json.dumps({**head, "model": "0" * 64}))
    with pytest.raises(EdgecrnnError, match="got one made with another model"):
        find(bundle, path, picture)
    (path / "index.json").write_text(json.dumps(head))
    vectors = bytearray((path / "vectors.voyager").read_bytes())
    vectors[-1] ^= 1
    (path / "vectors.voyager").write_bytes(vectors)
    with pytest.raises(EdgecrnnError, match="got a damaged one"):
        find(bundle, path, picture)


def test_nothing_to_index(folder: Path, tmp_path: Path) -> None:
    bundle = open_bundle(folder / "a.edgecrnn")
    with pytest.raises(EdgecrnnError, match="expected pictures to index, found none"):
        build_index(bundle, tmp_path, tmp_path / "index")
    with pytest.raises(EdgecrnnError, match="expected a folder of pictures, got none"):
        build_index(bundle, tmp_path / "no", tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_a_bundle_that_makes_no_vectors(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected a bundle that answers with vectors"):
        build_index(bundle, tmp_path, tmp_path / "index")
