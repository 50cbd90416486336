"""JPEGs out of a byte stream, however it is cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.multipart import JpegParts

# Frames as short as the rule allows; what lies between never looks like a boundary.
BODIES = st.lists(
    st.binary(max_size=40).map(lambda b: b"\xff\xd8" + b.replace(b"-", b"") + b"\xff\xd9"),
    max_size=8,
)
FORMS = {
    "length": b"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n",
    "small letters": b"--edge\ncontent-length:%d\n\n%s\n",
    "no line after": b"--edge\r\nContent-Length: %d\r\n\r\n%s",
}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@pytest.mark.parametrize("form", FORMS)
@given(bodies=BODIES, places=st.lists(st.integers(0, 10_000), max_size=12))
def test_every_frame_once_in_order(form: str, bodies: list[bytes], places: list[int]) -> None:
    data = b"".join(FORMS[form] % (len(body), body) for body in bodies)
    parts = JpegParts("edge")
    found = [body for piece in cut(data, places) for body in parts.feed(piece)]
    assert found == bodies
    assert parts.bad == 0


@given(data=st.binary(max_size=300), places=st.lists(st.integers(0, 300), max_size=5))
def test_garbage_gives_nothing_and_does_no_harm(data: bytes, places: list[int]) -> None:
    parts = JpegParts("edge")
    for piece in cut(data, places):
        parts.feed(piece)
    body = b"\xff\xd8good\xff\xd9"
    part = b"\r\n--edge\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), body)
    # A length that lied may swallow the parts after it until it is filled, never for ever.
    assert body in [f for _ in range(20) for f in parts.feed(part)]


@pytest.mark.parametrize("mark", ["--edge", "----edge"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_no_length_no_wait_for_the_next_boundary(
    mark: str, size: int, jpeg: Callable[..., bytes]
) -> None:
    body = jpeg("red")
    parts = JpegParts("--edge")
    data = f"{mark}\r\nContent-Type: image/jpeg\r\n\r\n".encode() + body
    found = [f for i in range(0, len(data), size) for f in parts.feed(data[i : i + size])]
    assert found == [body]
    assert parts.feed(b"\r\n" + data) == [body]
    assert parts.bad == 0


def test_half_frames_are_left_out(jpeg: Callable[..., bytes]) -> None:
    body = jpeg("red")
    half = body[: len(body) // 2]
    parts = JpegParts("edge")
    lie = b"--edge\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), half)
    truth = b"--edge\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(body), body)
    none = b"--edge\r\n\r\n" + half + b"\r\n"
    assert parts.feed(lie + truth + none + truth) == [body, body]
    assert parts.bad == 2


def test_memory_is_bounded() -> None:
    parts = JpegParts("edge")
    parts.feed(b"--edge\r\n\r\n\xff\xd8")
    for _ in range(40):
        parts.feed(bytes(1024 * 1024))
    assert parts.bad == 1
    assert parts.feed(b"--edge\r\n\r\n\xff\xd8x\xff\xd9\r\n--edge") == [b"\xff\xd8x\xff\xd9"]
