"""What happens to each frame of a stream: classify it, hand the result to the sinks, count."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from edgecrnn.runtime.answerer import Answerer
from edgecrnn.runtime.classifier import Classifier, Result
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Sink
from edgecrnn.runtime.tally import Rate

Warn = Callable[[str], None]


class Loop:
    """What happens to each frame once it has been decoded.

    Args:
        classifier: of the one stream.
        sinks: get every result.
        rate: frames a second that the model was trained at.
        warn: is told, once, where the source is too slow for the model.

    Attributes:
        last: the newest result, and the monotonic time at which its frame was captured.
        classified: frames that a decision was made on.
        paced_out: frames left out for the model's rate.
        labels: how often each was decided.
        rate_out: of the decisions.
    """

    def __init__(
        self,
        classifier: Classifier | Answerer,
        sinks: Sequence[Sink],
        rate: float | None,
        warn: Warn,
    ):
        self.classifier = classifier
        self.last: tuple[Result, float] | None = None
        self.classified = self.paced_out = 0
        self.labels: dict[str, int] = {}
        self.rate_out = Rate()
        self._sinks = sinks
        self._rate = rate
        self._warn: Warn | None = warn

    def feed(self, frame: Frame) -> None:
        """Classify the frame, or leave it out for the model's rate."""
        result = self.classifier(frame)
        if result is None:
            self.paced_out += 1
            return
        for sink in self._sinks:
            sink.write(result, frame)
        self.last = result, frame.captured
        self.classified += 1
        self.labels[result.label] = self.labels.get(result.label, 0) + 1
        self.rate_out.add(time.monotonic())
        if self._warn is not None and (fed := self.classifier.fed_rate) is not None:
            self._warn(
                f"the model was trained at {self._rate:g} frames a second and gets {fed:.1f}; "
                "what it says about movement is less sure"
            )
            self._warn = None

    def go_on_with(
        self, classifier: Classifier | Answerer, sinks: Sequence[Sink], rate: float | None
    ) -> None:
        """Another model from the next frame on; the counts go on."""
        classifier.resets += self.classifier.resets + 1
        self.classifier, self._sinks, self._rate = classifier, sinks, rate
