"""Writes the moving digits as video files: class folders, or one long stream."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import folder_beside, move_over, new_folder, not_written, write_file
from edgecrnn.runtime.films import film_frames
from edgecrnn.runtime.preprocess import Image
from edgecrnn.train.demo.moving_digits import LABELS, DemoSettings, make_clip
from edgecrnn.train.demo.scans import scans

# Every frame is a JPEG of its own: a codec that predicts from the frame before leaves traces
# of the motion in a single frame, and the class would no longer hide there.
SUFFIX = ".avi"
_FOURCC = cv2.VideoWriter.fourcc(*"MJPG")
SPLITS = ("train", "val", "test")


def export(
    folder: Path, settings: DemoSettings, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write split/class/NNN.avi below `folder`; it appears whole or not at all.

    Args:
        folder: replaced where it exists.
        settings: how many clips, how long, how large, the seed.
        progress: called with (clips written, clips in all).
    """
    counts = {"train": settings.train, "val": settings.val, "test": settings.test}
    total, done = len(LABELS) * sum(counts.values()), 0
    try:
        with new_folder(folder) as beside:
            for part, (split, count) in enumerate(counts.items()):
                for number, label in enumerate(LABELS):
                    place = beside / split / label
                    place.mkdir(parents=True)
                    for i in range(count):
                        # Each clip has a generator of its own: more clips change no others.
                        rng = np.random.default_rng((settings.seed, part, number, i))
                        clip = make_clip(label, rng, scans()[split], settings)
                        write_video(place / f"{i:03d}{SUFFIX}", clip, settings.frame_rate)
                        done += 1
                        if progress is not None:
                            progress(done, total)
    except OSError as error:
        raise not_written(folder, error) from error


def make_stream(video: Path, settings: DemoSettings, clips: int = 56) -> Path:
    """Write test clips, joined in a shuffled order, as one long video and a table beside it.

    Args:
        video: the .avi to write.
        settings: length and size of the clips, seed.
        clips: how many are joined; the classes come equally often, to one.

    Returns:
        The .csv beside the video: start_frame, end_frame (the first frame after it), label.

    Raises:
        EdgecrnnError: the video or the table cannot be written.
    """
    rng = np.random.default_rng((settings.seed, len(SPLITS)))
    order = rng.permutation([i % len(LABELS) for i in range(clips)])
    images = scans()["test"]
    made = (make_clip(LABELS[i], rng, images, settings) for i in order)
    lines = [
        f"{k * settings.frames},{(k + 1) * settings.frames},{LABELS[i]}\n"
        for k, i in enumerate(order)
    ]
    try:
        with folder_beside(video) as beside:
            film = beside / f"film{SUFFIX}"
            write_video(film, (frame for clip in made for frame in clip), settings.frame_rate)
            move_over(film, video)
    except OSError as error:
        raise not_written(video, error) from error
    table = video.with_suffix(".csv")
    write_file(table, ("start_frame,end_frame,label\n" + "".join(lines)).encode())
    return table


def write_video(path: Path, frames: Iterable[Image], frame_rate: float) -> None:
    """Write RGB frames, each uint8 [h, w, 3] of one size, as Motion JPEG in .avi.

    Raises:
        EdgecrnnError: the file cannot be written.
        OSError: the disk is full.
    """
    writer: cv2.VideoWriter | None = None
    count = 0
    try:
        for frame in frames:
            if writer is None:
                size = (frame.shape[1], frame.shape[0])
                writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, _FOURCC, frame_rate, size)
                if not writer.isOpened():
                    raise EdgecrnnError(f"{path}: could not be written; check folder and disk")
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            count += 1
    finally:
        if writer is not None:
            writer.release()
    # OpenCV's writer never says that a disk is full; what can be read again was written.
    if count and film_frames(path, size=size) != count:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
