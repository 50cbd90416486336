"""What a bundle says of itself: a manifest of another kind and golden frames that are none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.bundle.opening import opened, packed, refused

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.errors import EdgecrnnError


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"format": 2}',
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: data[:12].decode("latin1"),
)  # fmt: skip
def test_a_manifest_that_is_none(manifest: bytes, files: dict[str, bytes], path: Path) -> None:
    packed(path, {**files, "manifest.json": manifest})
    refused(path)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    return [way] * bool(way) + [deep for key, one in inside for deep in places(one, (*way, key))]


@pytest.mark.parametrize("value", [None, True, 7, 0.5, "text", [], [1], {}, {"a": {}}, "\ud800"])
def test_a_manifest_with_a_value_of_another_kind(
    value: Any, files: dict[str, bytes], path: Path
) -> None:
    for way in places(json.loads(files["manifest.json"])):
        manifest = inside = json.loads(files["manifest.json"])
        for step in way[:-1]:
            inside = inside[step]
        before, inside[way[-1]] = inside[way[-1]], value
        packed(path, {**files, "manifest.json": json.dumps(manifest).encode()})
        result = opened(path)
        if not isinstance(result, str):
            # A number for a number, a text for a text; a frame rate may be left out.
            numbers = (int, float)
            both = isinstance(value, numbers) and isinstance(before, numbers)
            assert both or type(value) is type(before) or value in (None, {}), way


@pytest.mark.parametrize("golden", [b"", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"no archive"])
def test_golden_frames_that_are_none(golden: bytes, sound: Path) -> None:
    """The hash may be right and the content no archive: somebody else's converter, say."""
    bundle = open_bundle(sound)
    broken = dataclasses.replace(bundle, files={**bundle.files, "golden.npz": golden})
    missing = dataclasses.replace(bundle, files={})
    if golden.startswith(b"PK"):
        assert broken.golden() == {}
    else:
        with pytest.raises(EdgecrnnError, match=r"expected golden frames in golden\.npz"):
            broken.golden()
    with pytest.raises(EdgecrnnError, match=r"expected golden frames in golden\.npz"):
        missing.golden()
