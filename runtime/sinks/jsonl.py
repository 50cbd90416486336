"""One JSON object a line: time, source, frame, label, score, scores, latency_ms."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks._lines import LineFile
from edgecrnn.runtime.sinks._sink import Stream, Takes

WHAT = "jsonl:FILE"
TAKES: Takes = "results"

_FULL = 8192  # bytes held back at most
_PAUSE = 0.1  # seconds held back at most, where lines follow each other


class Bytes(Protocol):
    """What lines are written to."""

    def write(self, data: bytes, /) -> int | None:
        """Take all of them."""

    def flush(self) -> None:
        """Hold none back."""


def matches(spec: str) -> bool:
    """`jsonl:` and a path."""
    return spec.startswith("jsonl:")


def open_sink(spec: str, stream: Stream) -> JsonLines:
    """Append to the file, one write call a line.

    Raises:
        EdgecrnnError: it cannot be written, or holds something else than JSON lines.
    """
    path = spec.removeprefix("jsonl:")
    if not path:
        raise EdgecrnnError("sink: expected jsonl:FILE, got no file; name one")
    file = LineFile(Path(path), first=b'{"time": ')
    return JsonLines(file, stream.labels, prompt=True, source=stream.source, owned=file)


class JsonLines:
    """Writes whole lines only, so that a kill never leaves half of one in a file.

    Args:
        stream: takes the bytes.
        labels: in the order of the scores.
        prompt: whether each line leaves at once, as a reader of a live source needs it;
            otherwise lines leave together, at most 0.1 s late while results follow each other.
        source: named in each line, where it is given.
        owned: is closed at the end.
    """

    def __init__(
        self,
        stream: Bytes,
        labels: tuple[str, ...],
        prompt: bool,
        source: str = "",
        owned: LineFile | None = None,
    ):
        self._stream = stream
        self._prompt, self._owned = prompt, owned
        self._held: list[bytes] = []
        self._size = 0
        self._left = time.monotonic()
        names = {label: json.dumps(label) for label in (*labels, UNKNOWN)}
        self._names = {label: name.encode("ascii") for label, name in names.items()}
        # json.dumps a line costs several times what filling in a template does.
        scores = ", ".join(f"{_escaped(names[label])}: %.4f" for label in labels)
        named = f'"source": {_escaped(json.dumps(source))}, ' if source else ""
        self._template = (
            f'{{"time": %.3f, {named}"frame": %d, "label": %s, "score": %.4f, '
            f'"scores": {{{scores}}}, "latency_ms": %.3f}}\n'
        ).encode("ascii")

    def write(self, result: Result, frame: Frame) -> None:
        """Add the result's line."""
        line = self._template % (
            result.time,
            result.frame,
            self._names.get(result.label) or json.dumps(result.label).encode("ascii"),
            result.score,
            *result.scores,
            result.latency_ms,
        )
        if result.told is not None and result.told.boxes:
            boxes = [[round(each, 4) for each in box] for box in result.told.boxes]
            line = line[:-2] + f', "boxes": {json.dumps(boxes)}}}\n'.encode("ascii")
        if self._prompt:
            self._stream.write(line)
            self._stream.flush()
            return
        self._held.append(line)
        self._size += len(line)
        if self._size >= _FULL or time.monotonic() - self._left >= _PAUSE:
            self._flush()

    def close(self) -> None:
        """Write what is still held; the stream stays open unless it is owned."""
        self._flush()
        if self._owned is not None:
            self._owned.close()

    def _flush(self) -> None:
        lines, self._held, self._size = b"".join(self._held), [], 0
        self._left = time.monotonic()
        self._stream.write(lines)
        self._stream.flush()


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
