"""The live loop: read, pace, prepare, step, decide, hand to the sinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgecrnn.runtime.capture import NewestFrame
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.sinks import Sink
from edgecrnn.runtime.tally import Summary, Tally

# How long a wait may last before the loop looks whether it should stop.
_GLANCE = 0.1

Warn = Callable[[str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class LiveSettings:
    """What can be chosen about a run; decision settings left out come from the bundle."""

    smoothing: float | None = setting(
        None, "share of the last smoothed scores kept at each frame", least=0.0, most=0.99
    )
    threshold: float | None = setting(
        None, "least smoothed score of a label; below it: unknown", least=0.0, most=1.0
    )
    hysteresis: float | None = setting(
        None, "how far another label must lead before the decision moves", least=0.0, most=1.0
    )
    warmup: int | None = setting(
        None, "frames after a reset that are answered with unknown", unit="frames", least=0
    )
    realtime: bool = setting(False, "play files at their own speed, not as fast as possible")
    max_frames: int | None = setting(
        None, "stop after so many classified frames", unit="frames", least=1
    )
    seconds: float | None = setting(None, "stop after so long", unit="s", least=0.0)

    def __post_init__(self) -> None:
        check(self)

    def decision(self, bundle: DecisionSettings) -> DecisionSettings:
        """The bundle's rule with what was set by hand in its place."""
        return DecisionSettings(
            bundle.smoothing if self.smoothing is None else self.smoothing,
            bundle.threshold if self.threshold is None else self.threshold,
            bundle.hysteresis if self.hysteresis is None else self.hysteresis,
            bundle.warmup if self.warmup is None else self.warmup,
        )


class Loop:
    """What happens to each frame once it has been decoded.

    Args:
        classifier: of the one stream.
        sinks: get every result.
        rate: frames a second that the model was trained at.
        warn: is told, once, where the source is too slow for the model.
    """

    def __init__(
        self, classifier: Classifier, sinks: Sequence[Sink], rate: float | None, warn: Warn
    ):
        self.classifier = classifier
        self.tally = Tally()
        self.paced_out = 0
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
        self.tally.add(result)
        if self._warn is not None and (fed := self.classifier.fed_rate) is not None:
            self._warn(
                f"the model was trained at {self._rate:g} frames a second and gets {fed:.1f}; "
                "what it says about movement is less sure"
            )
            self._warn = None


def run_live(
    engine: Engine,
    manifest: Manifest,
    source: Source,
    sinks: Sequence[Sink],
    settings: LiveSettings,
    warn: Warn = lambda sentence: None,
    stop: Stop = lambda: False,
) -> Summary:
    """Classify a source until it ends, `stop` says so, or a limit of the settings is reached.

    The source and the sinks are closed in any case. A live source that ends or fails is told as
    `Summary.lost`, a reader of the results that went away as `Summary.end`.

    Raises:
        EdgecrnnError: results can no longer be written (a full disk).
    """
    began = time.monotonic()
    decision = settings.decision(manifest.decision)
    classifier = Classifier(engine, manifest, decision, source.live, source.rate)
    loop = Loop(classifier, sinks, manifest.frame_rate, warn)
    deadline = None if settings.seconds is None else began + settings.seconds
    end, lost = "interrupted", ""

    def over() -> bool:
        nonlocal end
        if deadline is not None and time.monotonic() >= deadline:
            end = "time is up"
            return True
        return stop()

    feed = _Newest(source, over) if source.live else _InOrder(source, over, settings.realtime)
    try:
        for frame in feed:
            loop.feed(frame)
            if loop.tally.classified == settings.max_frames:
                end = "frame limit reached"
                break
        else:
            if feed.ended:
                end = "source ended"
                lost = _ended_live(source, feed.read) if source.live else ""
    except EdgecrnnError as error:
        end, lost = "source failed", str(error)
    except BrokenPipeError:
        end = "reader left"
    except OSError as error:
        raise EdgecrnnError(f"results could not be written ({error.strerror})") from error
    finally:
        feed.close()
    for sink in sinks:
        try:
            sink.close()
        except BrokenPipeError:
            end = "reader left"
        except OSError as error:
            raise EdgecrnnError(f"results could not be written ({error.strerror})") from error
    tally = loop.tally
    return Summary(
        frames=feed.read,
        classified=tally.classified,
        paced_out=loop.paced_out,
        dropped=feed.dropped,
        resets=classifier.resets,
        seconds=time.monotonic() - began,
        p50_ms=tally.latency_ms(0.5),
        p95_ms=tally.latency_ms(0.95),
        end=end,
        lost=lost,
        hung=feed.hung,
        labels=dict(tally.labels),
        notes=source.notes,
    )


class _InOrder:
    """Every frame of a file in order; at its own speed where `realtime`."""

    dropped = 0
    hung = False

    def __init__(self, source: Source, over: Stop, realtime: bool):
        self._source, self._over, self._realtime = source, over, realtime
        self.read = 0
        self.ended = False

    def __iter__(self) -> Iterator[Frame]:
        ahead: float | None = None
        while not self._over():
            frame = self._source.read()
            if frame is None:
                self.ended = True
                return
            self.read += 1
            if self._realtime:
                if ahead is None:
                    ahead = time.monotonic() - frame.time
                frame = self._wait(frame, ahead + frame.time)
                if frame is None:
                    return
            yield frame

    def _wait(self, frame: Frame, until: float) -> Frame | None:
        """The frame at its time; None where the wait was cut short."""
        while (left := until - time.monotonic()) > 0:
            if self._over():
                return None
            time.sleep(min(left, _GLANCE))
        return Frame(frame.image, frame.index, frame.time, time.monotonic())

    def close(self) -> None:
        self._source.close()


class _Newest:
    """The newest frame of a live source each time the loop is ready for one."""

    def __init__(self, source: Source, over: Stop):
        self._over = over
        self._capture = NewestFrame(source)
        self.ended = False

    def __iter__(self) -> Iterator[Frame]:
        self._capture.start()
        while not self._over():
            frame = self._capture.next(_GLANCE)
            if frame is not None:
                yield frame
            elif self._capture.ended:
                self.ended = True
                return

    @property
    def read(self) -> int:
        return self._capture.read

    @property
    def dropped(self) -> int:
        return self._capture.dropped

    @property
    def hung(self) -> bool:
        return self._capture.hung

    def close(self) -> None:
        self._capture.close()


def _ended_live(source: Source, frames: int) -> str:
    return (
        f"{source.name}: expected frames until stopped, the stream ended after {frames}; "
        "check the camera and the network"
    )
