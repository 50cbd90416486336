"""Several sources in one run: each remembers for itself, and none waits for another."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.camera import Camera

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.publishing import Published
from edgecrnn.runtime.sinks import Sink, Stream
from edgecrnn.runtime.sources import open_source
from edgecrnn.runtime.workers import interpreters_for

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Camera]]:
    """Three that show red, green and blue."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = [Camera(rate=20.0) for _ in range(3)]
    for camera, color in zip(made, ("red", "green", "blue"), strict=True):
        camera.say(f"show {color}")
    yield made
    for camera in made:
        camera.kill()


class Kept:
    """Keeps the labels of one stream."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def write(self, result: Result, frame: Frame) -> None:
        self.labels.append(result.label)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("interpreters", [1, 2, 3])
def test_files_side_by_side_give_what_each_gives_alone(
    bundle: Bundle, write_video: Callable[..., Path], interpreters: int
) -> None:
    colors = (["red"] * 8 + ["blue"] * 8, ["green"] * 12, ["blue"] * 5 + ["red"] * 15)
    paths = [write_video(each, name=f"{n}.avi") for n, each in enumerate(colors)]
    kept: dict[str, Kept] = {}

    def sinks(stream: Stream, published: Published) -> Sequence[Sink]:
        return [kept.setdefault(stream.source, Kept())]

    def run(*chosen: Path) -> None:
        models = [Model.of(load_engine(bundle), bundle) for _ in range(interpreters)]
        sources = [open_source(str(path), SourceSettings()) for path in chosen]
        summaries = Live(models, sources, sinks, LiveSettings()).run()
        assert [summary.end for summary in summaries] == ["source ended"] * len(chosen)

    for path in paths:
        run(path)
    alone, kept = dict(kept), {}
    run(*paths)
    assert {name: each.labels for name, each in kept.items()} == {
        name: each.labels for name, each in alone.items()
    }
    assert [len(each.labels) for each in kept.values()] == [16, 12, 20]


@pytest.mark.parametrize(
    ("sources", "threads", "cores", "count"),
    [(8, 1, 2, 2), (1, 1, 4, 1), (3, 1, 4, 3), (8, 2, 4, 2), (8, 4, 2, 1)],
)
def test_there_is_one_interpreter_a_core(
    monkeypatch: pytest.MonkeyPatch, sources: int, threads: int, cores: int, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    assert interpreters_for(sources, threads) == count


def test_a_camera_that_goes_away_leaves_the_others_alone(
    edgecrnn: Command, bundle_path: Path, cameras: list[Camera]
) -> None:
    words = [word for camera in cameras for word in ("--source", camera.url)]
    process = edgecrnn("run", bundle_path, *words, "--first-pause", 0.1, "--longest-pause", 0.3)
    assert process.stdout is not None
    results: list[dict[str, Any]] = []

    def read(seconds: float) -> list[dict[str, Any]]:
        assert process.stdout is not None
        until, place = time.monotonic() + seconds, len(results)
        while time.monotonic() < until:
            results.append(json.loads(process.stdout.readline()))
        return results[place:]

    def labels(found: list[dict[str, Any]], camera: Camera) -> list[str]:
        return [each["label"] for each in found if each["source"] == camera.url]

    others = ((cameras[0], "red"), (cameras[2], "blue"))
    first = read(2.0)
    until = time.monotonic() + 60
    while not all(color in labels(first, camera) for camera, color in others):
        assert time.monotonic() < until, first
        first += read(0.5)
    cameras[1].kill()
    read(0.3)
    without = read(1.0)
    assert labels(without, cameras[1]) == []
    for camera, color in others:
        assert set(labels(first, camera)) == {"unknown", color}
        # No reset of theirs.
        assert set(labels(without, camera)) == {color}
    cameras[1].start("red")
    back = labels(read(3.0), cameras[1])
    assert back[:2] == ["unknown"] * 2 and set(back[2:]) == {"red"}
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err.count("1 time reopened") == 1


def test_one_that_cannot_be_opened_is_told_and_nothing_is_left_open(
    edgecrnn: Command, bundle_path: Path, cameras: list[Camera]
) -> None:
    words = ("--source", cameras[0].url, "--source", "http://127.0.0.1:9/none")
    process = edgecrnn("run", bundle_path, *words)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert "http://127.0.0.1:9/none: expected MJPEG over HTTP, got connection refused" in err


def test_a_sink_that_cannot_be_opened_closes_every_source(bundle: Bundle, tmp_path: Path) -> None:
    class Closing:
        name, about, live, rate = "cam", "none", True, 10.0
        notes: tuple[str, ...] = ()
        closed = False

        def read(self) -> Frame | None:
            return None

        def close(self) -> None:
            self.closed = True

    made: list[int] = []

    def sinks(stream: Stream, published: Published) -> Sequence[Sink]:
        made.append(1)
        if len(made) == 2:
            raise EdgecrnnError("sink: no")
        return [Kept()]

    sources = [Closing() for _ in range(3)]
    with pytest.raises(EdgecrnnError, match="sink: no"):
        Live([Model.of(load_engine(bundle), bundle)], sources, sinks, LiveSettings())
    assert [source.closed for source in sources] == [True] * 3
