"""One JSON object a line: time, frame, label, score, scores, latency_ms."""

from __future__ import annotations

import json
import time
from typing import BinaryIO

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.frame import Frame

_FULL = 8192  # bytes held back at most
_PAUSE = 0.1  # seconds held back at most, where lines follow each other


class JsonLines:
    """Writes whole lines only, so that a kill never leaves half of one in a file.

    Args:
        stream: takes the bytes.
        labels: in the order of the scores.
        prompt: whether each line leaves at once, as a reader of a live source needs it;
            otherwise lines leave together, at most 0.1 s late while results follow each other.
    """

    def __init__(self, stream: BinaryIO, labels: tuple[str, ...], prompt: bool):
        self._stream = stream
        self._prompt = prompt
        self._held: list[str] = []
        self._size = 0
        self._left = time.monotonic()
        names = {label: json.dumps(label) for label in (*labels, UNKNOWN)}
        self._names = names
        # json.dumps a line costs several times what filling in a template does.
        scores = ", ".join(f"{_escaped(names[label])}: %.4f" for label in labels)
        self._template = (
            f'{{"time": %.3f, "frame": %d, "label": %s, "score": %.4f, "scores": {{{scores}}}, '
            '"latency_ms": %.3f}\n'
        )

    def write(self, result: Result, frame: Frame) -> None:
        """Add the result's line."""
        line = self._template % (
            result.time,
            result.frame,
            self._names[result.label],
            result.score,
            *result.scores,
            result.latency_ms,
        )
        self._held.append(line)
        self._size += len(line)
        if self._prompt or self._size >= _FULL or time.monotonic() - self._left >= _PAUSE:
            self._flush()

    def close(self) -> None:
        """Write what is still held; the stream stays open."""
        self._flush()

    def _flush(self) -> None:
        lines, self._held, self._size = "".join(self._held), [], 0
        self._left = time.monotonic()
        self._stream.write(lines.encode("ascii"))
        self._stream.flush()


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
