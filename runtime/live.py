"""The live run: step threads, and one that watches over them until the end."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Source
from edgecrnn.runtime.loop import Loop, Warn
from edgecrnn.runtime.model import Model
from edgecrnn.runtime.notify import Heartbeat, Notifier
from edgecrnn.runtime.publishing import Handed, OpenSinks, Published
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.sinks import Sink, Stream
from edgecrnn.runtime.status import Status
from edgecrnn.runtime.streams import LiveStream, close_all
from edgecrnn.runtime.tally import Summary
from edgecrnn.runtime.workers import GLANCE, Worker

__all__ = ["Live", "LiveSettings", "Loop", "Model", "run_live"]

# Together under 2 seconds: how long the end waits for a step, for sinks, for reads of sources.
_STEP, _SINKS, _SOURCES = 0.3, 1.0, 1.3

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
        None, "stop each source after so many classified frames", unit="frames", least=1
    )
    seconds: float | None = setting(None, "stop after so long", unit="s", least=0.0)
    hang: float = setting(
        30.0, "end the run where the model has not answered a frame for so long", unit="s",
        least=0.1,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)

    def decision(self, bundle: DecisionSettings) -> DecisionSettings:
        """The bundle's rule with what was set by hand in its place."""
        said: dict[str, Any] = {
            name: value
            for name in ("smoothing", "threshold", "hysteresis", "warmup")
            if (value := getattr(self, name)) is not None
        }
        if self.threshold is not None and bundle.thresholds:
            said["thresholds"] = (self.threshold,) * len(bundle.thresholds)
        return dataclasses.replace(bundle, **said)


class Live:
    """A run of one or several sources.

    Args:
        models: one for each step thread; the sources are dealt out among them.
        sources: open; the run closes them.
        open_sinks: opens the sinks of each stream.
        settings: of the run.
        warn: is told what a person should know.
        load: loads the models again, for `reload`, as many; called by a thread of its own.
        notifier: of the service manager.
        say: is told what a person may want to know.

    Attributes:
        hung: whether a thread is stuck in a driver or a delegate; an orderly end of the process
            would wait for it.

    Raises:
        EdgecrnnError: a sink cannot be opened.
    """

    def __init__(
        self,
        models: Sequence[Model],
        sources: Sequence[Source],
        open_sinks: OpenSinks,
        settings: LiveSettings,
        warn: Warn = lambda sentence: None,
        load: Callable[[], Sequence[Model]] | None = None,
        notifier: Notifier | None = None,
        say: Warn = lambda sentence: None,
    ):
        self.hung = False
        self.streams: list[LiveStream] = []
        self._settings, self._warn, self._say, self._load = settings, warn, say, load
        self._heartbeat = Heartbeat(notifier or Notifier({}))
        self._ended = threading.Event()
        self._loading: threading.Thread | None = None
        self._reload_asked = False
        self._end = ""
        changes = [threading.Condition() for _ in models]
        self._workers = [Worker(changed, self._ended) for changed in changes]
        several = len(sources) > 1
        try:
            for number, source in enumerate(sources):
                place = number % len(models)
                stream = LiveStream(
                    source,
                    models[place],
                    settings.decision,
                    open_sinks,
                    settings.realtime,
                    settings.max_frames,
                    several,
                    changes[place],
                    self._warn_of(source.name) if several else warn,
                )
                self.streams.append(stream)
                self._workers[place].streams.append(stream)
        except BaseException:
            close_all(self.streams, _SINKS, _SOURCES)
            for source in sources[len(self.streams) :]:
                source.close()
            raise

    def statuses(self) -> list[Status]:
        """How each stream is doing, in the order of the sources; any thread may ask."""
        return [stream.status() for stream in self.streams]

    def reload(self) -> None:
        """Load the model again, and go on with it where it is good; returns at once.

        Until then the old one goes on; where the new one cannot be used, `warn` is told. Any
        thread may ask.
        """
        self._reload_asked = True

    def run(self, stop: Stop = lambda: False) -> list[Summary]:
        """Classify until every source has ended, `stop` says so, or a limit is reached.

        Sinks and sources are closed in any case. `stop` is asked ten times a second, by the
        thread that calls this.

        Raises:
            EdgecrnnError: results cannot be written, or the model failed or hangs.
        """
        began = time.monotonic()
        left: list[LiveStream] = list(self.streams)
        for worker in self._workers:
            worker.start()
        try:
            while left and not self._over(began, stop):
                self._ended.wait(GLANCE)
                self._ended.clear()
                self._watch()
                gone = [stream for stream in left if stream.end and stream.drained()]
                left = [stream for stream in left if stream not in gone]
                self._close(gone)
        finally:
            self._heartbeat.stopping(self._classified())
            self._finish(left)
        error = next((worker.error for worker in self._workers if worker.error is not None), None)
        self._told(error)
        return [stream.summary(self._end) for stream in self.streams]

    def _over(self, began: float, stop: Stop) -> bool:
        """Whether to end before every stream has; `_end` says why."""
        most = self._settings.seconds
        if any(worker.error is not None for worker in self._workers):
            self._end = "failed"
        elif most is not None and time.monotonic() - began >= most:
            self._end = "time is up"
        if not self._end and stop():
            self._end = "interrupted"
        return bool(self._end)

    def _watch(self) -> None:
        """Feed the watchdog, load again where asked, notice a model that does not come back."""
        streams = self.streams
        idle = self._loading is None or not self._loading.is_alive()
        if self._reload_asked and self._load is not None and idle:
            self._reload_asked = False
            self._loading = threading.Thread(target=self._reload, args=(self._load,), daemon=True)
            self._loading.start()
        waited, longest = max(((s.hung_for, s) for s in streams), key=lambda pair: pair[0])
        if waited > self._settings.hang:
            self.hung = True
            raise EdgecrnnError(
                f"{longest.model.about.delegate}: expected an answer for a frame of "
                f"{longest.source.name} within {self._settings.hang:g} s, got none; "
                "see that its device is well, or take --delegate cpu"
            )
        ready = all(stream.loop.last is not None or stream.end for stream in streams)
        progress = [stream.progress for stream in streams]
        self._heartbeat.beat(progress, ready, self._line, self._classified())

    def _classified(self) -> int:
        """Frames of all streams so far."""
        return sum(stream.loop.classified for stream in self.streams)

    def _line(self) -> str:
        """For `systemctl status`."""
        statuses = self.statuses()
        rate = sum(status.fps_out for status in statuses)
        said = [f"{status.source}: {status.state} {status.label or ''}" for status in statuses]
        return f"{rate:.1f} decisions a second; {'; '.join(said)}"

    def _close(self, streams: Sequence[LiveStream]) -> None:
        if streams:
            try:
                close_all(streams, _SINKS, _SOURCES)
            except (EdgecrnnError, OSError) as error:
                self._told(error)

    def _finish(self, left: Sequence[LiveStream]) -> None:
        """End the threads and close what is still open."""
        for worker in self._workers:
            worker.stop()
        for stream in left:
            stream.stop()
        until = time.monotonic() + _STEP
        ended = [worker.ends(max(0.0, until - time.monotonic())) for worker in self._workers]
        self.hung |= not all(ended)
        # What a stuck thread holds is left alone: closing it under that thread crashes.
        stuck = {
            id(stream)
            for worker, end in zip(self._workers, ended, strict=True)
            if not end
            for stream in worker.streams
        }
        self._close([stream for stream in left if id(stream) not in stuck])
        self.hung |= any(stream.feed.hung for stream in self.streams)

    def _told(self, error: BaseException | None) -> None:
        """Raise an error of the sinks or the model; a reader that left is an end like any other."""
        if isinstance(error, BrokenPipeError):
            self._end = "reader left"
        elif isinstance(error, OSError):
            raise EdgecrnnError(f"results could not be written ({error.strerror})") from error
        elif error is not None:
            raise error

    def _reload(self, load: Callable[[], Sequence[Model]]) -> None:
        self._heartbeat.reloading()
        try:
            models = load()
        except (EdgecrnnError, OSError, MemoryError) as error:
            sentence = f"{str(error) or 'no memory left'}; the bundle that runs goes on"
            for stream in self.streams:
                stream.error = sentence
            self._warn(sentence)
        else:
            for worker, model in zip(self._workers, models, strict=True):
                worker.next = model
            for stream in self.streams:
                stream.error = ""
            self._say(f"{models[0].bundle.path}: loaded again: {models[0].about.text()}")
        finally:
            self._heartbeat.reloaded()

    def _warn_of(self, name: str) -> Warn:
        return lambda sentence: self._warn(f"{name}: {sentence}")


def run_live(
    model: Model,
    source: Source,
    sinks: Sequence[Sink],
    settings: LiveSettings,
    warn: Warn = lambda sentence: None,
    stop: Stop = lambda: False,
) -> Summary:
    """A run of one source with sinks that are open; both are closed in any case.

    Raises:
        EdgecrnnError: results cannot be written, or the model failed or hangs.
    """

    def given(stream: Stream, published: Published) -> Sequence[Sink]:
        return [*sinks, Handed(published)]

    (summary,) = Live([model], [source], given, settings, warn).run(stop)
    return summary
