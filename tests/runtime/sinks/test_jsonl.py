"""JSON lines."""

from __future__ import annotations

import io
import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks.jsonl import JsonLines

SHARE = st.floats(0.0, 1.0)
FRAME = Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0, 0.0)
LABELS = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=5, unique=True)


class Writes(io.BytesIO):
    """Remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: object) -> int:
        assert isinstance(data, bytes)
        self.writes.append(data)
        return len(data)


def result(label: str, scores: tuple[float, ...], frame: int = 7) -> Result:
    return Result(1234567890.1234, frame, label, max(scores), scores, 1.23456)


@given(labels=LABELS, data=st.data())
def test_each_line_is_json_with_what_was_decided(labels: list[str], data: st.DataObject) -> None:
    scores = tuple(data.draw(st.lists(SHARE, min_size=len(labels), max_size=len(labels))))
    label = data.draw(st.sampled_from([*labels, UNKNOWN]))
    stream = io.BytesIO()
    JsonLines(stream, tuple(labels), prompt=True).write(result(label, scores), FRAME)
    (line,) = stream.getvalue().splitlines()
    read = json.loads(line)
    assert list(read) == ["time", "frame", "label", "score", "scores", "latency_ms"]
    assert (read["frame"], read["label"]) == (7, label)
    assert read["time"] == 1234567890.123
    assert read["latency_ms"] == 1.235
    assert list(read["scores"]) == labels
    for name, score in zip(labels, scores, strict=True):
        assert math.isclose(read["scores"][name], score, abs_tol=5.1e-5)


def test_prompt_lines_leave_at_once() -> None:
    stream = Writes()
    sink = JsonLines(stream, ("a", "b"), prompt=True)
    for _ in range(3):
        sink.write(result("a", (1.0, 0.0)), FRAME)
    assert len(stream.writes) == 3


def test_other_lines_leave_together_and_whole() -> None:
    stream = Writes()
    sink = JsonLines(stream, ("a", "b"), prompt=False)
    for frame in range(1000):
        sink.write(result("a", (1.0, 0.0), frame), FRAME)
    sink.close()
    assert len(stream.writes) < 100
    assert all(data.endswith(b"}\n") for data in stream.writes if data)
    frames = [json.loads(line)["frame"] for line in b"".join(stream.writes).splitlines()]
    assert frames == list(range(1000))
