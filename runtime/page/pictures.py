"""JPEGs of what is watched: each frame once for all viewers, in a thread of its own."""

from __future__ import annotations

import dataclasses
import json
import queue
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import shown as told_as_shown
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.page.watched import RATE, Newest, Watched, point

_WIDEST = 1280  # pixels
_QUALITY = 80  # of JPEG
_BEST = 95  # of a snapshot
_SHARE = 0.5  # of a core that encoding may take


def jpeg(frame: Frame, widest: int = _WIDEST, quality: int = _QUALITY) -> bytes:
    """The frame's picture, `widest` pixels wide at most."""
    image: npt.NDArray[np.uint8] = frame.image
    height, width = image.shape[:2]
    if width > widest:
        size = (widest, max(1, round(height * widest / width)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def snapshot(frame: Frame) -> bytes:
    """The picture as it came, in high quality."""
    return jpeg(frame, frame.image.shape[1], _BEST)


def as_shown(newest: Newest) -> Frame:
    """The frame with its answer, where that is a picture or is drawn into one."""
    told = newest.result.told
    if told is None:
        return newest.frame
    return dataclasses.replace(newest.frame, image=told_as_shown(told, newest.frame.image))


def with_result(picture: bytes, number: int, watched: Watched, newest: Newest) -> bytes:
    """One message of the WebSocket, so that no label stands beside another frame than its own.

    The length of the JSON (uint32, big end first), the JSON, the JPEG.
    """
    facts = {
        "stream": number,
        "generation": watched.generation,
        "frame": newest.result.frame,
        "point": point(newest.result),
    }
    head = json.dumps(facts).encode()
    return struct.pack(">I", len(head)) + head + picture


@dataclass
class _Shown:
    """One stream: who watches, which result was shown last, and when the next may be."""

    viewers: int = 0
    number: int = 0
    due: float = 0.0


class Pictures:
    """Encodes the newest frame of each stream that somebody watches.

    Args:
        streams: is read again and again; one may be added.
        publish: takes (number of the stream, picture with its result), in this thread.
    """

    def __init__(self, streams: Sequence[Watched], publish: Callable[[int, bytes], None]):
        self._streams, self._publish = streams, publish
        self._shown: dict[int, _Shown] = {}
        # Its put never waits, whoever holds what: the step thread rings it.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="page pictures", daemon=True)

    def ring(self) -> None:
        """Look again: a result came, or a viewer."""
        self._bell.put(None)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def watch(self, number: int, by: int) -> None:
        """So many viewers more (or less) for a stream; called by one thread.

        The first gets the newest frame at once.
        """
        shown = self._shown.setdefault(number, _Shown())
        if shown.viewers == 0:
            shown.number = 0
        shown.viewers += by
        self.ring()

    def stop(self) -> None:
        """End; waits a moment for the picture that is under way."""
        self._stopped = True
        self.ring()
        if self._thread.ident is not None:
            self._thread.join(0.3)

    def _run(self) -> None:
        while not self._stopped:
            until = self._turn()
            try:
                self._bell.get(timeout=until)
            except queue.Empty:
                continue

    def _turn(self) -> float | None:
        """Encode what is due; seconds until the next is, None where nothing new is there."""
        waits: list[float] = []
        for number, shown in list(self._shown.items()):
            if not shown.viewers:
                continue
            watched = self._streams[number]
            # Before the look, so that a result that comes now rings.
            watched.awaited = True
            newest, now = watched.newest, time.monotonic()
            if newest is None or newest.number == shown.number:
                continue
            if now >= shown.due:
                self._show(number, shown, newest)
                now = time.monotonic()
            waits.append(max(0.0, shown.due - now))
        return min(waits, default=None)

    def _show(self, number: int, shown: _Shown, newest: Newest) -> None:
        began = time.monotonic()
        encoded = jpeg(as_shown(newest))
        took = time.monotonic() - began
        shown.number = newest.number
        # All streams share what encoding may take.
        watched = sum(each.viewers > 0 for each in list(self._shown.values()))
        shown.due = began + max(1 / RATE, took * watched / _SHARE)
        self._publish(number, with_result(encoded, number, self._streams[number], newest))
