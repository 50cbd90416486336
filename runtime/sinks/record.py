"""Records clips around decisions: what the model saw, what it decided, and a film to look at."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.clip import ClipWriter
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.films import film_frames
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.shelf import Shelf
from edgecrnn.runtime.sinks._head import a_head
from edgecrnn.runtime.sinks._names import slug
from edgecrnn.runtime.sinks._options import read_options
from edgecrnn.runtime.sinks._sink import Stream, Takes

WHAT = "record:FOLDER"
TAKES: Takes = "frames"
FILM = "film.avi"
_RATE = 10.0  # of a film, where the model has no rate
_QUALITY = 90


@dataclass(frozen=True)
class RecordOptions:
    """What can stand behind the question mark."""

    before: float = setting(
        5.0, "how much before the decision is recorded", unit="s", least=0.0, most=60.0
    )
    after: float = setting(5.0, "how much after it", unit="s", least=0.0, most=600.0)
    longest: float = setting(60.0, "length of a clip at most", unit="s", least=1.0, most=3600.0)
    cap: float = setting(1000.0, "what all clips may take together", unit="MB", least=0.1)
    free: float = setting(
        100.0, "what must be free on the disk for a clip to be begun", unit="MB", least=0.0
    )
    labels: str = setting("", "the labels that are recorded, with commas; empty: all")
    film: bool = setting(True, "whether a film of the camera's own pictures lies in each clip")

    def __post_init__(self) -> None:
        check(self)


def matches(spec: str) -> bool:
    """`record:` and a path."""
    return spec.startswith("record:")


def open_sink(spec: str, stream: Stream) -> Recorder:
    """Make the folder.

    Raises:
        EdgecrnnError: it cannot be written, or an option or a label is none.
    """
    path, _, text = spec.removeprefix("record:").partition("?")
    if not path:
        raise EdgecrnnError("sink: expected record:FOLDER, got no folder; name one")
    if stream.answer != LABELS:
        raise EdgecrnnError(
            f"record:{path}: expected a model that decides on labels, got one that answers with "
            f"{stream.answer}; pictures:FOLDER keeps what it makes"
        )
    options = read_options(RecordOptions, text, f"record:{path}")
    labels = tuple(filter(None, options.labels.split(",")))
    for label in labels:
        if label not in stream.labels:
            raise EdgecrnnError(
                f"record:{path}: expected labels among {', '.join(stream.labels)}, got {label!r}"
            )
    shelf = Shelf(Path(path), options.cap, options.free)
    return Recorder(shelf, stream, options, labels or stream.labels)


@dataclass(frozen=True)
class _Shot:
    """A result, and the picture it was decided on as a JPEG (nothing where no film is made)."""

    result: Result
    time: float
    jpeg: bytes


class Recorder:
    """Keeps the last seconds; a change to a label makes a clip of them and of the next.

    Each clip is written into a hidden folder, read back, and only then given its name.

    Args:
        shelf: keeps the clips under their cap.
        stream: whose results these are.
        options: see `RecordOptions`.
        labels: those that are recorded.
    """

    def __init__(
        self, shelf: Shelf, stream: Stream, options: RecordOptions, labels: tuple[str, ...]
    ):
        self.dropped = 0
        self.error = ""  # why the newest clip is not there
        self._shelf, self._stream, self._options = shelf, stream, options
        self._labels = labels
        self._ring: deque[_Shot] = deque()
        self._label = UNKNOWN
        self._open: _Open | None = None

    def write(self, result: Result, frame: Frame) -> None:
        """Take a frame; begin, continue or end a clip.

        Raises:
            EdgecrnnError: the disk is full; the clip is thrown away.
            OSError: likewise.
        """
        shot = _Shot(result, frame.time, _jpeg(frame.image) if self._options.film else b"")
        last = self._ring[-1].time if self._ring else frame.time
        if frame.time < last:
            # Played from the beginning, or another clock: no clip goes over that.
            self._finish()
            self._ring.clear()
        self._ring.append(shot)
        while self._ring[0].time < frame.time - self._options.before:
            self._ring.popleft()
        before, self._label = self._label, result.label
        decided = result.label != before and result.label in self._labels
        try:
            if self._open is not None:
                self._open.add(shot)
                if decided:
                    self._open.until = frame.time + self._options.after
                length = frame.time - self._open.began
                if frame.time >= self._open.until or length >= self._options.longest:
                    self._finish()
            elif decided:
                self._begin(result.label, frame.time)
        except (OSError, EdgecrnnError) as error:
            self.error = str(error)
            self._throw_away()
            raise

    def close(self) -> None:
        """End the clip that is being written."""
        try:
            self._finish()
        except (OSError, EdgecrnnError):
            self._throw_away()
            raise

    def _begin(self, label: str, time: float) -> None:
        """Begin a clip with all of the ring."""
        folder = self._shelf.begin()
        head = a_head(self._stream, f"decided {label}", "")
        film = _Film(folder / FILM, self._stream.rate or _RATE) if self._options.film else None
        until = time + self._options.after
        self._open = _Open(folder, label, ClipWriter(folder, head), film, self._ring[0].time, until)
        for shot in self._ring:
            self._open.add(shot)
        if self._options.after == 0.0:
            self._finish()

    def _finish(self) -> None:
        """Read the clip back, and give it its name."""
        if self._open is None:
            return
        self._open.close()
        self._shelf.keep(self._open.folder, "", slug(self._open.label))
        self.error = ""
        # The next clip does not begin with what this one ended with.
        self._ring.clear()
        self._throw_away()

    def _throw_away(self) -> None:
        """Remove what has no name yet."""
        if self._open is not None:
            opened, self._open = self._open, None
            self._shelf.end(opened.folder)


@dataclass
class _Open:
    """A clip that is being written; times are the frames' own."""

    folder: Path
    label: str
    writer: ClipWriter
    film: _Film | None
    began: float
    until: float

    def add(self, shot: _Shot) -> None:
        self.writer.add(shot.result)
        if self.film is not None:
            self.film.add(shot.jpeg)

    def close(self) -> None:
        """Write the rest.

        Raises:
            OSError: the film has not as many frames as were written: the disk is full.
        """
        if self.film is not None:
            self.film.close()
        self.writer.close()


class _Film:
    """Motion JPEG, which every player plays and OpenCV writes without FFmpeg."""

    def __init__(self, path: Path, rate: float):
        self._path, self._rate = path, rate
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._frames = 0

    def add(self, jpeg: bytes) -> None:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        if self._writer is None:
            self._size = (image.shape[1], image.shape[0])
            self._writer = cv2.VideoWriter(
                str(self._path),
                cv2.CAP_OPENCV_MJPEG,
                cv2.VideoWriter.fourcc(*"MJPG"),
                self._rate,
                self._size,
            )
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size)
        self._writer.write(image)
        self._frames += 1

    def close(self) -> None:
        """End the file and count its frames: the writer itself never says that a disk is full."""
        if self._writer is not None:
            self._writer.release()
        read = film_frames(self._path)
        if read != self._frames:
            raise OSError(28, f"{read} of {self._frames} frames could be written", str(self._path))


def _jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise EdgecrnnError(f"frame: expected a picture, got an array of {image.shape}")
    return data.tobytes()
