"""The sink of the page: keeps the newest result and frame of a stream, and its last scores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.review import Review
from edgecrnn.runtime.sinks import Stream

RATE = 15.0  # pictures and results a second that the page shows at most
WINDOW = 30.0  # seconds of scores that the page shows
_NUMBERS = 20_000  # scores kept at most


class Newest(NamedTuple):
    """A result, the frame that it was decided on, and how many came before it."""

    number: int
    result: Result
    frame: Frame


class Watched:
    """Takes the results of one stream; `write` costs a microsecond and waits for nobody.

    Args:
        stream: whose results these are.
        review: takes corrections; None where there is none.
        ring: is called, by the thread that writes, once after `awaited` was set.

    Attributes:
        newest: None before the first.
        awaited: whether somebody waits for the next result.
        generation: grows when another model takes over, maybe with other labels.
        open: whether results come.
    """

    def __init__(self, stream: Stream, review: Review | None, ring: Callable[[], None]):
        self.stream, self.review = stream, review
        self.newest: Newest | None = None
        self.awaited = False
        self.generation = 0
        self.open = True
        self._ring = ring
        self._number = 0
        self._points = self._room()

    def write(self, result: Result, frame: Frame) -> None:
        """Keep it."""
        self._number = number = self._number + 1
        self.newest = Newest(number, result, frame)
        points = self._points
        # By media time, so that a file that is played fast fills no more of the window.
        if not points or not 0 <= result.time - points[-1][0] < 0.9 / RATE:
            points.append((result.time, result.label, result.score, result.scores))
        if self.awaited:
            self.awaited = False
            self._ring()

    def close(self) -> None:
        """No more results come; the newest stays."""
        self.open = False

    def go_on_with(self, stream: Stream, review: Review | None) -> None:
        """The results of another model come from now on."""
        self.stream, self.review = stream, review
        self._points = self._room()
        self.newest = None
        self.generation += 1
        self.open = True

    def about(self) -> dict[str, Any]:
        """What does not change from result to result, with the scores so far, as JSON values."""
        stream, rule = self.stream, self.stream.decision
        thresholds = rule.thresholds or (rule.threshold,) * len(stream.labels)
        return {
            "source": stream.source,
            "generation": self.generation,
            "bundle": stream.bundle,
            "labels": stream.labels,
            "rate": stream.rate,
            "answer": stream.answer,
            "thresholds": thresholds,
            "several_labels": bool(rule.thresholds),
            "can_correct": self.review is not None,
            "window": WINDOW,
            "points": [_point(*each) for each in self._points.copy()],
        }

    def _room(self) -> deque[tuple[float, str, float, tuple[float, ...]]]:
        most = min(int(WINDOW * RATE), _NUMBERS // max(1, len(self.stream.labels)))
        return deque(maxlen=most)


def point(result: Result) -> list[Any]:
    """A result as the page reads it: time in s, label, its score, all scores."""
    return _point(result.time, result.label, result.score, result.scores)


def _point(time: float, label: str, score: float, scores: tuple[float, ...]) -> list[Any]:
    return [round(time, 3), label, round(score, 3), [round(each, 3) for each in scores]]
