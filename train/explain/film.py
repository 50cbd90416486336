"""Writes the pictures of an explanation as an MP4 that plays."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.quiet import without_chatter
from edgecrnn.train.explain.canvas import Pixels

# H.264 plays everywhere but few builds of OpenCV can write it; VP9 plays in browsers and players;
# MPEG-4 part 2, which every build can write, in players.
_CODECS = ("avc1", "vp09", "mp4v")


def write_film(path: Path, pictures: Callable[[], Iterable[Pixels]], rate: float) -> None:
    """Write and read back; the file is there whole or not at all.

    Args:
        path: ends in .mp4; its folder is made.
        pictures: gives them, BGR uint8, all of one size with even sides; again for another codec.
        rate: pictures a second.

    Raises:
        EdgecrnnError: this OpenCV can write none of the codecs, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.mp4")
    try:
        for codec in _CODECS:
            with without_chatter():
                written = _write(beside, pictures(), rate, codec)
                plays = written > 0 and _count(beside) == written
            if plays:
                os.replace(beside, path)
                return
    finally:
        beside.unlink(missing_ok=True)
    raise EdgecrnnError(
        f"{path}: expected OpenCV to write a film with one of {', '.join(_CODECS)}, got none that "
        "plays; check the space left on the disk, or give a name that ends in .png"
    )


def _write(path: Path, pictures: Iterable[Pixels], rate: float, codec: str) -> int:
    """How many pictures were handed to the encoder; 0 where there is no such encoder."""
    writer = cv2.VideoWriter()
    try:
        count = 0
        for picture in pictures:
            if not count:
                height, width = picture.shape[:2]
                fourcc = cv2.VideoWriter.fourcc(*codec)
                if not writer.open(str(path), cv2.CAP_FFMPEG, fourcc, rate, (width, height)):
                    return 0
            writer.write(picture)
            count += 1
        return count
    finally:
        writer.release()


def _count(path: Path) -> int:
    """How many pictures can be decoded again."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        count = 0
        while capture.read()[0]:
            count += 1
        return count
    finally:
        capture.release()
