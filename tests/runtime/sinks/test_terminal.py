"""The line for a person."""

from __future__ import annotations

import io
import re
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Stream
from edgecrnn.runtime.sinks.terminal import TerminalLine, terminal_sink

FRAME = Frame(np.zeros((2, 2, 3), np.uint8), 0, 0.0, 0.0)


class Terminal(io.TextIOWrapper):
    """A stream that keeps what was written, in an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


def result(label: str, score: float, frame: int = 0) -> Result:
    return Result(0.0, frame, label, score, (score, 1 - score), 2.5)


def test_one_line_over_and_over_and_the_last_result_stays() -> None:
    stream = Terminal("utf-8")
    sink = TerminalLine(stream, ("left", "right"))
    for frame in range(200):
        sink.write(result("left", frame / 200, frame), FRAME)
    sink.write(result("right", 0.75), FRAME)
    sink.close()
    text = stream.text()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text.count("\r") < 100
    last = text.rsplit("\r", 1)[1]
    assert re.match(r"right   █{15}░{5}  75% .*2\.5 ms", last)


def test_several_sources_give_a_line_at_each_change() -> None:
    output = Terminal("utf-8")
    sinks = [
        terminal_sink(output, Stream(source, ("left", "right"), 10.0, True, "b", several=True))
        for source in ("cam 1", "cam\x1b 2")
    ]
    for label in ("unknown", "left", "left", "right"):
        for sink in sinks:
            sink.write(result(label, 0.9), FRAME)
    lines = output.text().splitlines()
    assert [line.split()[1:] for line in lines] == [
        [label, "90%", *source]
        for label in ("unknown", "left", "right")
        for source in (("cam", "1"), ("cam?", "2"))
    ]


def test_drawn_at_most_20_times_a_second() -> None:
    stream = Terminal("utf-8")
    sink = TerminalLine(stream, ("a", "b"))
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        sink.write(result("a", 0.5), FRAME)
    sink.close()
    assert stream.text().count("\r") <= 20 * (time.monotonic() - began) + 2


def test_a_terminal_without_unicode_gets_ascii() -> None:
    stream = Terminal("ascii")
    sink = TerminalLine(stream, ("a", "b"))
    sink.write(result("a", 0.5), FRAME)
    sink.close()
    assert "##########.........." in stream.text()


@given(st.text(min_size=1, max_size=30), st.floats(-1.0, 2.0))
def test_no_label_moves_the_cursor(label: str, score: float) -> None:
    stream = Terminal("utf-16")
    sink = TerminalLine(stream, (label,))
    sink.write(result(label, score), FRAME)
    sink.close()
    shown = stream.text().removeprefix("\ufeff").strip("\n").replace("\x1b[K", "")
    assert shown.startswith("\r")
    assert shown[1:].isprintable()


def test_nothing_written_nothing_drawn() -> None:
    stream = Terminal("utf-8")
    TerminalLine(stream, ("a",)).close()
    assert stream.text() == ""
