"""A bundle damaged at random: refused with a sentence, or exactly what was in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.bundle.opening import opened, packed, unpacked

from edgecrnn.runtime.bundle import open_bundle

MUTATIONS = 3000


def mutated(whole: bytes, rng: np.random.Generator, kind: int) -> bytes:
    """One of: bits, bytes, a part gone, a part twice, a part moved, cut short, bytes added."""
    data = bytearray(whole)
    start, other = sorted(int(place) for place in rng.integers(0, len(data), 2))
    length = int(rng.integers(1, 64))
    if kind == 0:
        data[start] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for place in rng.integers(0, len(data), int(rng.integers(1, 8))):
            data[place] = rng.integers(256)
    elif kind == 2:
        del data[start : start + length]
    elif kind == 3:
        data[other:other] = data[start : start + length]
    elif kind == 4:
        data[start : start + length] = data[other : other + length]
    elif kind == 5:
        del data[start:]
    else:
        data[start:start] = rng.bytes(length)
    return bytes(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_thousands_of_damaged_archives(
    method: int, files: dict[str, bytes], sound: Path, path: Path
) -> None:
    """Refused, or exactly what was in it: where only a date changed, say."""
    packed(path, files, method)
    whole, original = path.read_bytes(), open_bundle(sound)
    rng = np.random.default_rng(method)
    refusals = 0
    for number in range(MUTATIONS // 2):
        path.write_bytes(mutated(whole, rng, number % 7))
        result = opened(path)
        if isinstance(result, str):
            refusals += 1
        else:
            assert (result.manifest, result.files) == (original.manifest, original.files)
    assert refusals > MUTATIONS // 4


def test_hundreds_of_damaged_folders(files: dict[str, bytes], path: Path) -> None:
    """Hashes guard every file but the manifest; that one may at most say something else."""
    unpacked(path, files)
    rng = np.random.default_rng(0)
    for number in range(600):
        name = sorted(files)[number % len(files)]
        damaged = mutated(files[name], rng, number % 7)
        (path / name).write_bytes(damaged)
        result = opened(path)
        if name != "manifest.json" and damaged != files[name]:
            assert isinstance(result, str) and name in result
        assert isinstance(result, str) or all(
            result.files[known] == files[known] for known in result.files
        )
        (path / name).write_bytes(files[name])
