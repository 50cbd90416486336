from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.intact import truncated

IMAGE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8), (0, 0), 2
)


def encoded(suffix: str, *options: int) -> bytes:
    ok, data = cv2.imencode(suffix, IMAGE, list(options))
    assert ok
    return data.tobytes()


FILES = {
    "jpg": encoded(".jpg"),
    "progressive": encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "png": encoded(".png"),
    "bmp": encoded(".bmp"),
    "webp": encoded(".webp"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_is_whole(kind: str) -> None:
    assert not truncated(FILES[kind])
    assert not truncated(FILES[kind] + b"\0maker's trailer\xff\xd8\xff")


@pytest.mark.parametrize("kind", FILES)
@given(share=st.floats(0.0, 1.0))
def test_any_shorter_file_is_truncated(kind: str, share: float) -> None:
    data = FILES[kind]
    # The first bytes name the format; PNG may lack the checksum of its empty last chunk.
    least, most = 30, len(data) - (8 if kind == "png" else 1)
    assert truncated(data[: least + int(share * (most - least))])


def test_the_end_of_a_thumbnail_does_not_count() -> None:
    data = FILES["jpg"]
    thumbnail = b"\xff\xe1" + (2 + len(data)).to_bytes(2, "big") + data
    assert not truncated(data[:2] + thumbnail + data[2:])
    assert truncated(data[:2] + thumbnail + data[2:-200])


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM"]))
def test_any_bytes_are_judged(data: bytes, start: bytes) -> None:
    assert truncated(start + data) in (True, False)
