"""Decodes pictures and clips into prepared frames; a file that cannot is a `BadFileError`."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.intact import truncated
from edgecrnn.runtime.opencv import LOGGING, SILENT
from edgecrnn.runtime.preprocess import Image, Preprocessing, prepare
from edgecrnn.train.data.scan import frame_files, kind_of

# FFmpeg reads it when the first video is opened; a person's own choice stays.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
_TICK = 1e-6  # seconds; timestamps come as floating milliseconds
_MISSING = 0.05  # share of a clip's announced frames that may be missing

T = TypeVar("T")


class BadFileError(Exception):
    """A file that cannot be used; the message is the reason, a few words."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV's own warnings off stderr: a bad file is reported by name instead."""
    before = LOGGING.getLogLevel()
    LOGGING.setLogLevel(SILENT)
    try:
        yield
    finally:
        LOGGING.setLogLevel(before)


def read_picture(path: Path, preprocessing: Preprocessing) -> Image:
    """The prepared frame [height, width, channels] of a picture file.

    Raises:
        BadFileError: it is empty, truncated, or no picture.
    """
    return prepare(_picture(path), preprocessing)


def native_rate(path: Path) -> float | None:
    """Frames a second that a clip's container states; None where it states none."""
    if path.is_dir():
        return None
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return _stated_rate(capture) if capture.isOpened() else None
    finally:
        capture.release()


def read_clip(
    path: Path, preprocessing: Preprocessing, frame_rate: float | None
) -> Iterator[Image]:
    """The prepared frames of a clip in order, one at a time, resampled to `frame_rate`.

    For each tick of 1 / `frame_rate` seconds from the first frame on, the frame nearest in
    time; no frame twice, so a clip recorded at a lower rate keeps its own frames. A folder of
    numbered pictures carries no times: all its frames come, as does every frame where
    `frame_rate` is None.

    Raises:
        BadFileError: nothing can be decoded, or more than 5 % of the frames the container announces
            are missing; it may come after frames have been given.
    """
    frames = _folder_frames(path) if path.is_dir() else _video_frames(path)
    if frame_rate is not None and not path.is_dir():
        frames = resample(frames, frame_rate)
    for _, image in frames:
        yield prepare(image, preprocessing)


def whole_frames(path: Path) -> Iterator[tuple[float, Image]]:
    """Every (time in seconds, BGR frame) of a picture or a clip as the file holds it.

    Raises:
        BadFileError: as `read_clip`; a picture and numbered pictures carry no times.
    """
    if path.is_dir():
        return _folder_frames(path)
    if kind_of(path) == "pictures":
        return iter(((0.0, _picture(path)),))
    return _video_frames(path)


def resample(frames: Iterator[tuple[float, T]], frame_rate: float) -> Iterator[tuple[float, T]]:
    """The (time in seconds, frame) nearest to each tick of 1 / `frame_rate`, none twice."""
    tick = 0
    start = 0.0
    last: tuple[float, T] | None = None
    for frame in frames:
        if last is None:
            start = frame[0]
        else:
            middle = (last[0] + frame[0]) / 2 - start + _TICK
            if tick / frame_rate <= middle:
                yield last
                tick = math.floor(middle * frame_rate) + 1
        last = frame
    if last is not None and tick / frame_rate <= last[0] - start + _TICK:
        yield last


def _picture(path: Path) -> npt.NDArray[np.uint8]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFileError(f"could not be read ({error.strerror})") from error
    if not data:
        raise BadFileError("empty file")
    if truncated(data):
        raise BadFileError("truncated")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise BadFileError("not a picture that OpenCV can decode") from error
    if image is None:
        raise BadFileError("not a picture that OpenCV can decode")
    return np.asarray(image, np.uint8)


def _folder_frames(folder: Path) -> Iterator[tuple[float, Image]]:
    for index, path in enumerate(frame_files(folder)):
        try:
            yield float(index), _picture(path)
        except BadFileError as error:
            raise BadFileError(f"{path.name}: {error}") from error


def _video_frames(path: Path) -> Iterator[tuple[float, Image]]:
    """Every (time in seconds, BGR frame) of a video file."""
    # One thread a capture: two clips are decoded side by side already.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        if not capture.isOpened():
            raise BadFileError("not a clip that OpenCV can open; it may be truncated")
        rate = _stated_rate(capture)
        announced = max(0.0, capture.get(cv2.CAP_PROP_FRAME_COUNT))
        interval = 1 / (rate or 25.0)
        count, time = 0, 0.0
        while True:
            ok, image = capture.read()
            if not ok:
                break
            stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some containers give no times: then the stated rate counts them.
            time = stamp if not count or stamp > time else time + interval
            count += 1
            yield time, np.asarray(image, np.uint8)
        whole = count
        if path.suffix.lower() == ".mkv" and rate:
            # Matroska states a duration, no count: at a varying rate only the time tells.
            whole = max(count, round((time + interval) * rate))
        if not count or whole < announced * (1 - _MISSING):
            raise BadFileError(f"truncated: {count} of {announced:.0f} frames")
    finally:
        capture.release()


def _stated_rate(capture: cv2.VideoCapture) -> float | None:
    rate = capture.get(cv2.CAP_PROP_FPS)
    # 1000 is what OpenCV computes from a missing rate.
    return rate if math.isfinite(rate) and 0 < rate < 1000 else None
