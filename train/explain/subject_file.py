"""Reads the clip, the folder of frames or the picture that a person wants explained."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.decode import BadFileError, quiet, read_clip, read_picture
from edgecrnn.train.data.scan import CLIPS, PICTURES, frame_files
from edgecrnn.train.run_folder import RunRecord

# Leaving out each frame in turn costs the square of the length: ten seconds here for this many.
MOST_FRAMES = 600


def read_subject(path: Path, record: RunRecord) -> npt.NDArray[np.uint8]:
    """The frames of `path` as training decodes them, uint8 [time, height, width, channels].

    Args:
        path: a video, a folder of numbered pictures, or a picture.
        record: of the run; its sequence says which of them it reads.

    Raises:
        EdgecrnnError: there is nothing, it is of a kind that the run does not read, cannot be
            decoded, is too short for a frame to count, or too long.
    """
    kind, expected = _kind(path), "clips" if record.sequence == "time" else "pictures"
    if kind != expected:
        reads = "a clip (a video or a folder of frames)" if expected == "clips" else "a picture"
        raise EdgecrnnError(
            f"{path}: expected {reads}, which the run reads (sequence {record.sequence}), got "
            f"{'a picture' if kind == 'pictures' else 'a clip'}; give {reads}, or another run"
        )
    try:
        with quiet():
            if kind == "pictures":
                return read_picture(path, record.preprocessing)[None]
            frames = read_clip(path, record.preprocessing, record.frame_rate)
            taken = list(itertools.islice(frames, MOST_FRAMES + 1))
    except BadFileError as error:
        what = "picture" if kind == "pictures" else "clip"
        raise EdgecrnnError(
            f"{path}: expected a {what} that can be decoded, got {error}; give another file"
        ) from error
    least = max(2, record.warmup + 1)
    if len(taken) < least or len(taken) > MOST_FRAMES:
        bound = f"at least {least}" if len(taken) < least else f"at most {MOST_FRAMES}"
        got = str(len(taken)) if len(taken) < least else "more"
        raise EdgecrnnError(
            f"{path}: expected {bound} frames{_pace(path, record)}, got {got}; "
            f"give a {'longer' if len(taken) < least else 'shorter'} clip"
        )
    return np.stack(taken)


def _kind(path: Path) -> str:
    """Either "clips" or "pictures"."""
    if not path.exists():
        raise EdgecrnnError(f"{path}: expected a clip or a picture, got no such file; check it")
    if path.is_dir():
        if frame_files(path):
            return "clips"
        raise EdgecrnnError(
            f"{path}: expected a folder with the pictures of a clip, got one without any; "
            "give a folder of frames, a video or a picture"
        )
    for kind, suffixes in (("pictures", PICTURES), ("clips", CLIPS)):
        if path.suffix.lower() in suffixes:
            return kind
    raise EdgecrnnError(
        f"{path}: expected a clip ({', '.join(CLIPS)}, a folder of frames) or a picture "
        f"({', '.join(PICTURES)}), got {path.suffix or 'a name without suffix'!r}"
    )


def _pace(path: Path, record: RunRecord) -> str:
    if path.is_dir() or record.frame_rate is None:
        return ""
    return f" at the run's {record.frame_rate:g} a second"
