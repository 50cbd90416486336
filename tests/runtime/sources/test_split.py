"""Whole frames out of bytes, however they are cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgecrnn.runtime.pictures import decode
from edgecrnn.runtime.sources._split import FORMATS, Jpegs, Raw

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
PLAIN = cv2.imencode(".jpg", IMAGE)[1].tobytes()
PROGRESSIVE = cv2.imencode(".jpg", IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
# Its EXIF data holds a whole picture, end marker and all.
THUMBNAIL = PLAIN[:2] + b"\xff\xe1" + (len(PLAIN) + 2).to_bytes(2, "big") + PLAIN + PLAIN[2:]
WHOLE = (PLAIN, PROGRESSIVE, THUMBNAIL)
BETWEEN = (
    b"",
    b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n",
    b"\xff",
    b"words \xff\xd8 words",
)


def fed(split: Jpegs | Raw, data: bytes, cuts: list[int]) -> list[bytes]:
    """What comes when `data` is cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found: list[bytes] = []
    for start, end in itertools.pairwise(places):
        found += split.feed(data[start:end])
    return found


@given(
    st.lists(st.tuples(st.sampled_from(WHOLE), st.sampled_from(BETWEEN)), max_size=5),
    st.lists(st.integers(0, 1 << 20), max_size=6),
)
def test_every_whole_picture_comes_once(
    pictures: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    data = b"".join(between + picture for picture, between in pictures)
    split = Jpegs()
    assert fed(split, data, cuts) == [picture for picture, _ in pictures]


# Cut in a Huffman table, just before a table's end, and in a segment's length.
@example(PLAIN, 449, [])
@example(PLAIN, 85, [])
@example(PROGRESSIVE, 1241, [])
# Its EXIF data goes on over the next picture's head, up to where a table begins.
@example(THUMBNAIL, 1449, [])
@given(st.sampled_from(WHOLE), st.integers(3, 1 << 20), st.lists(st.integers(0, 1 << 20)))
def test_half_a_picture_is_never_given(picture: bytes, kept: int, cuts: list[int]) -> None:
    half = picture[: kept % (len(picture) - 4) + 2]
    split = Jpegs()
    found = fed(split, half + PLAIN + half + PLAIN + PLAIN, cuts)
    assert found[-1] == PLAIN
    if picture != THUMBNAIL:
        assert set(found) <= {PLAIN}
    for each in found:
        image = split.image(each)
        assert image is None or np.array_equal(image, decode(PLAIN))


@given(st.binary(max_size=3000), st.lists(st.integers(0, 1 << 20), max_size=6))
def test_garbage_is_no_picture_and_what_follows_is_found(garbage: bytes, cuts: list[int]) -> None:
    # A segment's head in the garbage may claim the next 64 KiB.
    found = fed(Jpegs(), garbage + PLAIN * (70_000 // len(PLAIN)), cuts)
    assert found[-1] == PLAIN


@given(st.integers(1, 5), st.lists(st.integers(0, 1 << 20), max_size=6))
def test_raw_pictures_come_whole(count: int, cuts: list[int]) -> None:
    split = Raw("bgr24", (32, 24))
    found = fed(split, IMAGE.tobytes() * count + b"rest", cuts)
    assert found == [IMAGE.tobytes()] * count
    assert np.array_equal(split.image(found[0]), IMAGE)
    assert "ends with 4 bytes of one" in split.rest()


@pytest.mark.parametrize(
    ("pixels", "made"),
    [
        ("rgb24", lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2RGB)),
        ("bgr24", lambda image: image),
        ("rgb0", lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2RGBA)),
        ("bgr0", lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)),
        ("gray", lambda image: image[..., 0]),
        ("yuv420p", lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)),
    ],
)
def test_colours_of_raw_pictures(pixels: str, made: Callable[[np.ndarray], np.ndarray]) -> None:
    plain = np.full((24, 32, 3), (40, 40, 40) if pixels == "gray" else (40, 90, 200), np.uint8)
    image = Raw(pixels, (32, 24)).image(np.ascontiguousarray(made(plain)).tobytes())
    assert image is not None
    assert image.shape == plain.shape
    assert np.abs(image.astype(int) - plain).max() < 6
    assert pixels in FORMATS
