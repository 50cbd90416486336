"""Writes the pictures of an explanation as an MP4 that plays."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import folder_beside, move_over, not_written
from edgecrnn.runtime.films import film_frames
from edgecrnn.runtime.quiet import without_chatter
from edgecrnn.train.explain.canvas import Pixels

# H.264 plays everywhere but few builds of OpenCV can write it; VP9 plays in browsers and players;
# MPEG-4 part 2, which every build can write, in players.
_CODECS = ("avc1", "vp09", "mp4v")
_LEAST_ROOM = 65536  # bytes; with less left the disk is what failed, not the codec


def write_film(path: Path, pictures: Callable[[], Iterable[Pixels]], rate: float) -> None:
    """Write and read back; the file is there whole or not at all.

    Args:
        path: ends in .mp4; its folder is made.
        pictures: gives them, BGR uint8, all of one size with even sides; again for another codec.
        rate: pictures a second.

    Raises:
        EdgecrnnError: this OpenCV can write none of the codecs, or the disk is full.
    """
    try:
        with folder_beside(path) as beside:
            made = beside / "film.mp4"
            for codec in _CODECS:
                with without_chatter():
                    count, size = _write(made, pictures(), rate, codec)
                    plays = count > 0 and film_frames(made, cv2.CAP_FFMPEG, size) == count
                if plays:
                    move_over(made, path)
                    return
                if shutil.disk_usage(beside).free < _LEAST_ROOM:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise not_written(path, error) from error
    raise EdgecrnnError(
        f"{path}: expected OpenCV to write a film with one of {', '.join(_CODECS)}, got none that "
        "plays; give a name that ends in .png"
    )


def _write(
    path: Path, pictures: Iterable[Pixels], rate: float, codec: str
) -> tuple[int, tuple[int, int]]:
    """How many pictures the encoder was handed, and their size; 0 where there is none."""
    writer = cv2.VideoWriter()
    width, height, count = 0, 0, 0
    try:
        for picture in pictures:
            if not count:
                height, width = picture.shape[:2]
                fourcc = cv2.VideoWriter.fourcc(*codec)
                if not writer.open(str(path), cv2.CAP_FFMPEG, fourcc, rate, (width, height)):
                    return 0, (width, height)
            writer.write(picture)
            count += 1
        return count, (width, height)
    finally:
        writer.release()
