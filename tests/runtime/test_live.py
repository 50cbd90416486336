"""The live loop on real videos, folders, streams and a real interpreter."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.service import Manager

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model, run_live
from edgecrnn.runtime.notify import Notifier
from edgecrnn.runtime.sinks import Bounded
from edgecrnn.runtime.sources import open_source
from edgecrnn.runtime.tally import Summary

Picture = Callable[..., Any]


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.closed = False

    def write(self, result: Result, frame: Frame) -> None:
        self.results.append(result)

    def close(self) -> None:
        self.closed = True


def run(bundle: Bundle, source: Source, **settings: Any) -> tuple[Summary, list[Result], list[str]]:
    sink = Kept()
    warnings: list[str] = []
    summary = run_live(
        Model.of(load_engine(bundle), bundle),
        source,
        [sink],
        LiveSettings(**settings),
        warnings.append,
    )
    assert sink.closed
    return summary, sink.results, warnings


def labels(results: list[Result]) -> list[str]:
    return [label for label, _ in itertools.groupby(result.label for result in results)]


class Slow(Kept):
    """One whose first write waits for somebody who is away."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()

    def write(self, result: Result, frame: Frame) -> None:
        self.stopped.wait(60.0)

    def stop(self) -> None:
        self.stopped.set()


def test_a_file_whose_sink_waits_is_ended_in_order(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    source = open_source(str(write_video(["red"] * 30)), SourceSettings())
    kept, slow = Kept(), Bounded(Slow(), "slow", wait=True, depth=4)
    live = Live(
        [Model.of(load_engine(bundle), bundle)], [source], lambda *_: [kept, slow], LiveSettings()
    )
    (summary,) = live.run(lambda: len(kept.results) > 4)
    assert (summary.end, live.hung, kept.closed) == ("interrupted", False, True)
    assert summary.unwritten["slow"] == len(kept.results) - 1 > 4


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(13, "no", "/opt/b.edgecrnn")])
def test_where_loading_again_fails_the_old_one_goes_on_and_the_manager_hears_of_it(
    bundle: Bundle, write_video: Callable[..., Path], tmp_path: Path, error: Exception
) -> None:
    def load() -> Sequence[Model]:
        raise error

    manager, warnings = Manager(str(tmp_path / "notify")), list[str]()
    source = open_source(str(write_video(["red"] * 50)), SourceSettings())
    live = Live(
        [Model.of(load_engine(bundle), bundle)],
        [source],
        lambda *_: [],
        LiveSettings(realtime=True),
        warnings.append,
        load,
        Notifier(manager.environment()),
    )
    live.reload()
    live.run(lambda: len(warnings) > 0)
    assert warnings[0].endswith("; the bundle that runs goes on")
    manager.wait_for("STOPPING=1")
    said = [line for _, line in manager.lines]
    assert "READY=1" in said[said.index("RELOADING=1") :]
    manager.close()


def test_a_video_is_named_as_it_goes(bundle: Bundle, write_video: Callable[..., Path]) -> None:
    path = write_video(["red"] * 10 + ["green"] * 10 + ["blue"] * 10)
    summary, results, warnings = run(bundle, open_source(str(path), SourceSettings()))
    assert labels(results) == ["unknown", "red", "green", "blue"]
    assert [r.label for r in results[:3]] == ["unknown", "unknown", "red"]
    assert [r.frame for r in results] == list(range(30))
    assert [r.time for r in results] == pytest.approx([i / 10 for i in range(30)])
    assert all(0 < r.latency_ms < 5000 for r in results)
    assert all(sum(r.scores) == pytest.approx(1.0) for r in results)
    assert (summary.frames, summary.classified, summary.dropped) == (30, 30, 0)
    assert (summary.end, summary.lost, summary.resets) == ("source ended", "", 0)
    assert sum(summary.labels.values()) == 30
    assert warnings == []


@pytest.mark.parametrize(("rate", "classified"), [(30.0, 20), (25.0, 24), (10.0, 60), (9.0, 60)])
def test_the_model_gets_its_own_rate(
    bundle: Bundle, write_video: Callable[..., Path], rate: float, classified: int
) -> None:
    path = write_video(["red"] * 60, rate)
    summary, _, warnings = run(bundle, open_source(str(path), SourceSettings()))
    assert abs(summary.classified - classified) <= 1
    assert summary.classified + summary.paced_out == summary.frames == 60
    assert warnings == []


def test_a_source_too_slow_is_warned_of_once(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    path = write_video(["red"] * 60, 5.0)
    summary, _, warnings = run(bundle, open_source(str(path), SourceSettings()))
    assert (summary.classified, summary.resets) == (60, 0)
    assert len(warnings) == 1
    assert "trained at 10 frames a second and gets 5.0" in warnings[0]


def test_settings_replace_those_of_the_bundle(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    path = str(write_video(["red"] * 10))
    _, results, _ = run(bundle, open_source(path, SourceSettings()), warmup=0)
    assert {r.label for r in results} == {"red"}
    _, results, _ = run(bundle, open_source(path, SourceSettings()), warmup=0, smoothing=0.9)
    assert results[0].score <= results[5].score
    settings = LiveSettings(threshold=0.5).decision(DecisionSettings(0.1, 0.2, 0.3, 4))
    assert settings == DecisionSettings(0.1, 0.5, 0.3, 4)


def test_realtime_plays_at_the_files_speed(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    path = write_video(["red"] * 4, 2.0)
    summary, results, _ = run(bundle, open_source(str(path), SourceSettings()), realtime=True)
    assert summary.seconds > 1.4
    assert summary.classified == 4
    # The wait is not latency.
    assert sum(r.latency_ms for r in results) < 1000 * summary.seconds - 1000


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"max_frames": 3}, "frame limit reached"),
        ({"seconds": 0.35, "realtime": True}, "time is up"),
    ],
)
def test_limits_end_it(
    bundle: Bundle, write_video: Callable[..., Path], settings: dict[str, Any], end: str
) -> None:
    source = open_source(str(write_video(["red"] * 30)), SourceSettings())
    summary, results, _ = run(bundle, source, **settings)
    assert summary.end == end
    assert len(results) == 3 if "max_frames" in settings else 1 <= len(results) < 30


def test_what_a_file_gave_is_written_to_the_end(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    class Disk(Kept):
        def write(self, result: Result, frame: Frame) -> None:
            time.sleep(0.06)
            super().write(result, frame)

    disk, model = Disk(), Model.of(load_engine(bundle), bundle)
    source = open_source(str(write_video(["red"] * 30)), SourceSettings())
    sink = Bounded(disk, "disk", wait=True)
    summary = run_live(model, source, [sink], LiveSettings())
    # Longer than sinks get where somebody stops the run.
    assert summary.end == "source ended" and summary.seconds > 1.5
    assert len(disk.results) == 30 and disk.closed and not any(summary.unwritten.values())


def test_a_folder_is_frame_after_frame(
    bundle: Bundle, tmp_path: Path, jpeg: Callable[..., bytes]
) -> None:
    for number in range(12):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg("red" if number < 6 else "blue"))
    (tmp_path / "3.jpg").write_bytes(b"")
    source = open_source(str(tmp_path), SourceSettings(rate=10.0))
    summary, results, _ = run(bundle, source)
    assert labels(results) == ["unknown", "red", "blue"]
    assert summary.classified == 11
    assert "3.jpg" in summary.notes[0]


def test_pictures_are_named_one_by_one(
    make_bundle: Callable[..., Path], tmp_path: Path, jpeg: Callable[..., bytes]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    colors = ["red", "blue", "green", "green", "red"]
    for number, color in enumerate(colors):
        # Sizes that differ do no harm.
        (folder / f"{number}.jpg").write_bytes(jpeg(color, 40 + number, 60))
    bundle = open_bundle(make_bundle("columns"))
    _, results, warnings = run(bundle, open_source(str(folder), SourceSettings()))
    assert [r.label for r in results] == colors
    assert warnings == []


def test_a_stream_is_named_live(
    bundle: Bundle, mjpeg_server: Callable[..., str], jpeg: Callable[..., bytes]
) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        for place in range(60):
            stream.part(jpeg("red" if place < 30 else "green"))
            time.sleep(0.02)

    source = open_source(mjpeg_server(serve), SourceSettings(timeout=2.0))
    before = time.time()
    summary, results, _ = run(bundle, source)
    assert labels(results)[:3] == ["unknown", "red", "green"]
    # 60 frames in about 1.2 s or more are 10 a second, not 50.
    assert summary.classified < 40
    assert summary.paced_out > 10
    assert all(before - 1 <= r.time <= time.time() for r in results)
    assert summary.end == "source ended"
    assert "the stream ended after" in summary.lost


def test_a_pause_in_a_stream_resets(
    bundle: Bundle, mjpeg_server: Callable[..., str], jpeg: Callable[..., bytes]
) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        for place in range(30):
            stream.part(jpeg("red" if place < 15 else "green"))
            time.sleep(1.5 if place == 14 else 0.05)

    source = open_source(mjpeg_server(serve), SourceSettings(timeout=4.0))
    summary, results, _ = run(bundle, source)
    assert summary.resets >= 1
    first_green = next(i for i, r in enumerate(results) if r.label == "green")
    assert [r.label for r in results[first_green - 2 : first_green]] == ["unknown", "unknown"]


def test_a_stream_that_freezes_is_told(
    bundle: Bundle, mjpeg_server: Callable[..., str], jpeg: Callable[..., bytes]
) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        stream.part(jpeg("red"))
        time.sleep(2)

    source = open_source(mjpeg_server(serve), SourceSettings(timeout=0.5))
    summary, _, _ = run(bundle, source)
    assert summary.end == "source failed"
    assert "expected a frame within 0.5 s" in summary.lost


def test_a_full_disk_is_told_and_a_reader_that_left_is_not(
    bundle: Bundle, write_video: Callable[..., Path]
) -> None:
    class Failing(Kept):
        def __init__(self, error: OSError) -> None:
            super().__init__()
            self.error = error

        def write(self, result: Result, frame: Frame) -> None:
            raise self.error

    path = str(write_video(["red"] * 3))
    model = Model.of(load_engine(bundle), bundle)
    full = Failing(OSError(28, "No space left on device"))
    with pytest.raises(EdgecrnnError, match="No space left"):
        run_live(model, open_source(path, SourceSettings()), [full], LiveSettings())
    left = Failing(BrokenPipeError())
    summary = run_live(model, open_source(path, SourceSettings()), [left], LiveSettings())
    assert summary.end == "reader left"
