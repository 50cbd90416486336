"""A folder of what the model made: one PNG a frame."""

from __future__ import annotations

from pathlib import Path

import cv2

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks._sink import Stream, Takes

WHAT = "pictures:FOLDER"
TAKES: Takes = "frames"


def matches(spec: str) -> bool:
    """`pictures:` and a path."""
    return spec.startswith("pictures:")


def open_sink(spec: str, stream: Stream) -> PictureFolder:
    """Make the folder.

    Raises:
        EdgecrnnError: it cannot be written, or the model makes no pictures.
    """
    path = spec.removeprefix("pictures:")
    if not path:
        raise EdgecrnnError("sink: expected pictures:FOLDER, got no folder; name one")
    if stream.answer == LABELS:
        raise EdgecrnnError(
            f"pictures:{path}: expected a model that answers with pictures, got one that decides "
            "on labels; record:FOLDER keeps clips of it"
        )
    if stream.several:
        raise EdgecrnnError(f"pictures:{path}: expected one --source beside it, got several")
    check_output(Path(path), force=True)
    Path(path).mkdir(parents=True, exist_ok=True)
    return PictureFolder(Path(path))


class PictureFolder:
    """Writes the answer's view of each frame, whole or not at all, called by the frame's number."""

    def __init__(self, folder: Path):
        self._folder = folder

    def write(self, result: Result, frame: Frame) -> None:
        """Write one picture."""
        if result.told is None:
            return
        done, encoded = cv2.imencode(".png", result.told.view(frame.image))
        if done:
            write_file(self._folder / f"{result.frame:06d}.png", encoded.tobytes())

    def close(self) -> None:
        """Nothing is held."""
