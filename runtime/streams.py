"""One source on its way through the run: its feed, its loop, its sinks, and how it is doing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from edgecrnn.runtime.answerer import Answerer, reader_of
from edgecrnn.runtime.capture import NewestFrame
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Source
from edgecrnn.runtime.in_order import Feed, InOrder
from edgecrnn.runtime.loop import Loop, Warn
from edgecrnn.runtime.model import Model
from edgecrnn.runtime.publishing import OpenSinks
from edgecrnn.runtime.reopen import Reopening
from edgecrnn.runtime.sinks import Bounded, Sink, Stream, close_sinks
from edgecrnn.runtime.status import State, Status
from edgecrnn.runtime.tally import Latencies, Summary

_HANDING = 0.3  # seconds that sinks may take where another model takes over from a live source
HANGS = 2.0  # seconds after which a step that has no answer is called hung
_WRITING = 1.5  # seconds that they may take where a file waits
_LOOK = 0.05  # seconds
_QUIET = 1.0  # seconds without a decision, at least, after which a stream is called waiting


class LiveStream:
    """One source of a run. `turn` and `go_on_with` are called by one thread, the rest by any.

    Args:
        source: open.
        model: classifies its frames.
        decision: the rule's numbers by the bundle's.
        open_sinks: is called here, and again for another model.
        realtime: whether a file is played at its own speed.
        most: frames to classify, None for all.
        several: whether the run has other sources.
        changed: is notified when a live source has a frame.
        warn: is told what a person should know.

    Raises:
        EdgecrnnError: a sink cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        model: Model,
        decision: Callable[[DecisionSettings], DecisionSettings],
        open_sinks: OpenSinks,
        realtime: bool,
        most: int | None,
        several: bool,
        changed: threading.Condition,
        warn: Warn,
    ):
        self.source = source
        self.paused = False
        self.end = self.lost = self.error = ""
        self.latencies = Latencies()
        self.model = model
        self.feed: Feed = NewestFrame(source, changed) if source.live else InOrder(source, realtime)
        self._decision, self._open_sinks, self._several = decision, open_sinks, several
        self._most, self._left_out = most, 0
        self._unwritten_before: dict[str, int] = {}  # by the sinks of models before this one
        self._began, self._started = time.monotonic(), time.time()
        self.sinks = self._sinks_for(model)
        manifest = model.bundle.manifest
        self.loop = Loop(self._classifier(model), self.sinks, manifest.frame_rate, warn)

    def turn(self) -> bool:
        """Classify the next frame where there is one; whether there was.

        Raises:
            BrokenPipeError: the reader of the results left.
            OSError: they cannot be written.
            EdgecrnnError: the model failed.
        """
        try:
            frame = self.feed.take()
        except EdgecrnnError as error:
            self.lost, self.end = str(error), "source failed"
            return False
        if frame is None:
            if self.feed.ended:
                self.lost = _ended_live(self.source, self.feed.read) if self.source.live else ""
                self.end = "source ended"
            return False
        if self.paused:
            self._left_out += 1
            return True
        self.loop.feed(frame)
        if self.loop.classified == self._most:
            self.end = "frame limit reached"
        return True

    def go_on_with(self, model: Model) -> None:
        """Another model from the next frame on; sinks are opened again, for its labels.

        Raises:
            EdgecrnnError: one cannot be opened.
        """
        # A camera does not wait: what a server that is away has not taken by then is counted.
        close_sinks(self.sinks, _HANDING if self.source.live else _WRITING)
        self._unwritten_before = self._unwritten
        self.sinks = self._sinks_for(model)
        self.model = model
        self.loop.go_on_with(self._classifier(model), self.sinks, model.bundle.manifest.frame_rate)

    def stop(self) -> None:
        """Read no more, and wait for no sink; waits for nothing."""
        self.feed.stop()
        for sink in self.sinks:
            if isinstance(sink, Bounded):
                sink.let_go()

    def drained(self) -> bool:
        """Whether it can be closed: what a file gave is written to the end, a camera never ends."""
        bounded = [sink for sink in self.sinks if isinstance(sink, Bounded)]
        for sink in bounded if not self.source.live else ():
            sink.finish()
        until = time.monotonic() + _LOOK
        return self.source.live or all(sink.drained(until) for sink in bounded)

    @property
    def hung_for(self) -> float:
        """Seconds for which the model has not answered a frame; 0 where it has."""
        since = self.loop.classifier.stepping
        return time.monotonic() - since if since else 0.0

    @property
    def progress(self) -> int | None:
        """Grows with frames classified and attempts to open the source; None: not expected to."""
        if self.end or self.paused or self._waits:
            return None
        attempts = self.source.attempts if isinstance(self.source, Reopening) else 0
        return self.loop.classified + attempts

    @property
    def _waits(self) -> bool:
        """Whether there is nothing to do until the next frame, and it need not be there yet."""
        in_time = isinstance(self.source, Reopening) and self.source.in_time
        return not (self.feed.ready or self.hung_for) and (in_time or self.feed.due is not None)

    def status(self) -> Status:
        """How it is doing."""
        loop, feed, about = self.loop, self.feed, self.model.about
        last, now = loop.last, time.monotonic()
        placement = about.placement
        return Status(
            source=self.source.name,
            about=self.source.about,
            state=self._state(now),
            variant=about.variant,
            engine=about.runtime,
            delegate=about.delegate,
            threads=about.threads,
            operators_taken=len(placement.taken),
            operators_left=len(about.left),
            partitions=placement.partitions,
            label=None if last is None else last[0].label,
            score=None if last is None else last[0].score,
            frames=feed.read,
            classified=loop.classified,
            paced_out=loop.paced_out,
            dropped=feed.dropped + self._left_out,
            resets=loop.classifier.resets,
            reopened=self._reopened,
            sink_drops=self._unwritten,
            fps_in=feed.rate.a_second(),
            fps_out=loop.rate_out.a_second(),
            p50_ms=self.latencies.of_late(0.50),
            p95_ms=self.latencies.of_late(0.95),
            p99_ms=self.latencies.of_late(0.99),
            age=None if last is None else now - last[1],
            started=self._started,
            uptime=now - self._began,
            error=self._newest_error(),
        )

    def summary(self, end: str) -> Summary:
        """What was done, at the end; `end` is why, where the stream has not ended by itself."""
        return Summary(
            frames=self.feed.read,
            classified=self.loop.classified,
            paced_out=self.loop.paced_out,
            dropped=self.feed.dropped + self._left_out,
            resets=self.loop.classifier.resets,
            seconds=time.monotonic() - self._began,
            p50_ms=self.latencies.of_all(0.50),
            p95_ms=self.latencies.of_all(0.95),
            p99_ms=self.latencies.of_all(0.99),
            end=self.end or end,
            lost=self.lost,
            hung=self.feed.hung,
            labels=dict(self.loop.labels),
            notes=self.source.notes,
            reopened=self._reopened,
            unwritten=self._unwritten,
            reasons={sink.name: sink.error for sink in self.sinks if isinstance(sink, Bounded)},
            source=self.source.name if self._several else "",
        )

    def _sinks_for(self, model: Model) -> Sequence[Sink]:
        manifest, about = model.bundle.manifest, model.about
        file = model.bundle.variant(about.variant).file
        stream = Stream(
            source=self.source.name,
            labels=manifest.labels,
            rate=manifest.frame_rate,
            live=self.source.live,
            bundle=manifest.name,
            decision=self._decision(manifest.decision),
            variant=about.variant,
            model=manifest.files[file],
            several=self._several,
            answer=manifest.answer,
        )
        return self._open_sinks(stream, lambda frame: self.latencies.add(frame.captured))

    def _classifier(self, model: Model) -> Classifier | Answerer:
        manifest = model.bundle.manifest
        decision = self._decision(manifest.decision)
        return reader_of(model.engine, manifest, decision, self.source.live, self.source.rate)

    def _state(self, now: float) -> State:
        loop = self.loop
        if self.end:
            return "ended"
        if self.hung_for > HANGS:
            return "hung"
        if self.paused:
            return "paused"
        if isinstance(self.source, Reopening) and self.source.away:
            return "reopening"
        usual = self.model.bundle.manifest.frame_rate or 10.0
        if loop.last is None or now - loop.last[1] > max(_QUIET, 3 / usual):
            return "waiting"
        return "warming up" if loop.classifier.warming else "running"

    @property
    def _reopened(self) -> int:
        return self.source.reopened if isinstance(self.source, Reopening) else 0

    @property
    def _unwritten(self) -> dict[str, int]:
        bounded = [sink for sink in self.sinks if isinstance(sink, Bounded)]
        before = self._unwritten_before
        return {sink.name: sink.dropped + before.get(sink.name, 0) for sink in bounded}

    def _newest_error(self) -> str:
        if self.lost or self.error:
            return self.lost or self.error
        if isinstance(self.source, Reopening) and self.source.error:
            return self.source.error
        errors = [f"{s.name}: {s.error}" for s in self.sinks if isinstance(s, Bounded) and s.error]
        return errors[0] if errors else ""


def close_all(streams: Sequence[LiveStream], sinks: float, sources: float) -> None:
    """Close what these streams hold, side by side.

    Args:
        streams: whose thread has ended.
        sinks: seconds that results may take to be written.
        sources: seconds that reads may take to end, of the same time.

    Raises:
        BrokenPipeError: the reader of the results left.
        EdgecrnnError, OSError: they cannot be written.
    """
    began = time.monotonic()
    for stream in streams:
        stream.feed.stop()
    try:
        close_sinks([sink for stream in streams for sink in stream.sinks], sinks)
    finally:
        for stream in streams:
            stream.feed.close(began + sources)


def _ended_live(source: Source, frames: int) -> str:
    return (
        f"{source.name}: expected frames until stopped, the stream ended after {frames}; "
        "check the camera and the network"
    )
