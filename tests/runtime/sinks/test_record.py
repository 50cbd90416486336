"""Clips around decisions, through a real run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.runtime.sinks.made import a_stream

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.clip import read_clip
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.films import film_frames
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.live import LiveSettings, Model, run_live
from edgecrnn.runtime.replay import replay
from edgecrnn.runtime.sinks import Stream, close_sinks, open_sinks
from edgecrnn.runtime.sinks.record import FILM, _Film
from edgecrnn.runtime.sources import open_source

Write = Callable[..., Path]
# Nothing is known at first: the mean of the two frames of warm-up.
FILMED = ["red"] * 40 + ["green"] * 40 + ["blue"] * 40


def stream_of(bundle: Bundle) -> Stream:
    manifest, variant = bundle.manifest, bundle.manifest.variants[0]
    return Stream(
        "clip.avi", manifest.labels, manifest.frame_rate, False, manifest.name, manifest.decision,
        variant.name, manifest.files[variant.file],
    )  # fmt: skip


def run(bundle: Bundle, video: Path, spec: str) -> list[str]:
    """The labels decided, frame by frame."""
    lines = video.with_suffix(".jsonl")
    sinks = open_sinks([spec, f"jsonl:{lines}"], stream_of(bundle))
    source = open_source(str(video), SourceSettings())
    run_live(Model.of(load_engine(bundle), bundle), source, sinks, LiveSettings())
    return [json.loads(line)["label"] for line in lines.read_text().splitlines()]


def clips(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def labels(folder: Path) -> list[str]:
    return [moment.label for moment in read_clip(folder).moments]


def test_a_clip_around_each_decision_that_replays_exactly(
    bundle: Bundle, write_video: Write, tmp_path: Path
) -> None:
    live = run(bundle, write_video(FILMED), f"record:{tmp_path}/clips?before=1&after=2")
    red, green, blue = clips(tmp_path / "clips")
    assert [each.name.split("-")[2] for each in (red, green, blue)] == ["red", "green", "blue"]
    change = live.index("green")
    # One second (ten frames) before the change, the change, two seconds after it.
    assert labels(green) == live[change - 10 : change + 21]
    for each in (red, green, blue):
        clip = read_clip(each)
        assert film_frames(each / FILM) == len(clip.moments) == len(list(each.glob("*.png")))
        assert all(r.agrees(0.0) for r in replay(bundle, load_engine(bundle), clip))


def test_the_film_shows_the_cameras_own_pictures(
    bundle: Bundle, write_video: Write, tmp_path: Path
) -> None:
    run(bundle, write_video(FILMED), f"record:{tmp_path}/clips?after=1")
    film = cv2.VideoCapture(str(clips(tmp_path / "clips")[1] / FILM))
    assert film.get(cv2.CAP_PROP_FPS) == 10.0
    ok, first = film.read()
    film.release()
    assert ok
    assert first.shape == (48, 64, 3)
    assert int(np.asarray(first)[..., 2].mean()) > 190


def test_only_the_labels_that_are_asked_for(
    bundle: Bundle, write_video: Write, tmp_path: Path
) -> None:
    video = write_video(FILMED)
    run(bundle, video, f"record:{tmp_path}/clips?labels=blue,red&film=no&after=1")
    assert [each.name.split("-")[2] for each in clips(tmp_path / "clips")] == ["red", "blue"]
    assert not list(tmp_path.glob(f"clips/*/{FILM}"))


def test_changes_in_a_row_make_one_clip_up_to_the_longest(
    bundle: Bundle, write_video: Write, tmp_path: Path
) -> None:
    video = write_video((["red"] * 8 + ["green"] * 8) * 6)
    run(bundle, video, f"record:{tmp_path}/clips?before=0&after=2&longest=4")
    lengths = [len(labels(each)) for each in clips(tmp_path / "clips")]
    assert max(lengths) == 41
    assert sum(lengths) <= 96


def test_the_cap_holds(bundle: Bundle, write_video: Write, tmp_path: Path) -> None:
    video = write_video((["red"] * 12 + ["green"] * 12) * 8)
    run(bundle, video, f"record:{tmp_path}/clips?before=0&after=1&cap=0.1")
    kept = clips(tmp_path / "clips")
    assert sum(f.stat().st_size for f in tmp_path.glob("clips/*/*")) <= 100_000
    assert len(kept) >= 2
    # The newest are there, without a gap.
    numbers = [int(each.name[:6]) for each in kept]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[-1] > len(numbers)


def test_on_a_full_disk_every_clip_is_whole_and_the_run_goes_on(
    bundle: Bundle, write_video: Write, small_disk: Path
) -> None:
    spec = f"record:{small_disk}/clips?before=0&after=1&free=0&cap=1000"
    (sink,) = open_sinks([spec], a_stream(labels=bundle.manifest.labels))
    manifest = bundle.manifest
    classify = Classifier(load_engine(bundle), manifest, manifest.decision, live=True)
    noise = np.random.default_rng(0)
    for number in range(400):
        image = noise.integers(0, 60, (160, 240, 3), np.uint8)
        image[..., 2 - number // 15 % 3] += 190
        frame = Frame(image, number, number / 10, 0.0)
        result = classify(frame)
        assert result is not None
        sink.write(result, frame)
        while sink._queue:
            pass
    close_sinks([sink], within=5)
    assert sink.failed > 0
    assert sink.error
    whole = clips(small_disk / "clips")
    assert len(whole) >= 2
    for each in whole:
        assert film_frames(each / FILM) == len(read_clip(each).moments)
    assert not list((small_disk / "clips").glob(".*"))


def test_a_picture_of_another_size_and_odd_sides(
    bundle: Bundle, tmp_path: Path, picture: Callable[..., np.ndarray]
) -> None:
    stream = a_stream(labels=bundle.manifest.labels, live=False)
    (sink,) = open_sinks([f"record:{tmp_path}/clips?before=2&after=1"], stream)
    manifest = bundle.manifest
    classify = Classifier(load_engine(bundle), manifest, manifest.decision, live=True)
    for number in range(40):
        image = picture("red", 33, 47) if number < 10 else picture("red", 64, 80)
        frame = Frame(image, number, number / 10, 0.0)
        result = classify(frame)
        assert result is not None
        sink.write(result, frame)
    close_sinks([sink])
    for each in clips(tmp_path / "clips"):
        assert film_frames(each / FILM) == len(read_clip(each).moments) > 0


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("record:", "got no folder"),
        ("record:{}?labels=red,yellow", "expected labels among cat, dog, got 'red'"),
        ("record:{}?before=-1", "expected 0 to 60 s"),
        ("record:{}?before=long", "expected a number"),
        ("record:{}?film=2", "expected yes or no"),
        ("record:{}?colour=red", "got 'colour'"),
        ("record:{}?cap", "expected NAME=VALUE"),
        ("record:/dev/null/x", "expected a folder that can be written"),
    ],
)
def test_a_bad_option_is_refused(tmp_path: Path, spec: str, reason: str) -> None:
    with pytest.raises(EdgecrnnError, match=reason):
        open_sinks([spec.format(tmp_path)], a_stream())


def test_a_film_that_did_not_fit_is_found_out(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(1_950_000))
    film = _Film(small_disk / FILM, 10.0)
    noise = np.random.default_rng(0)
    for _ in range(20):
        image = noise.integers(0, 255, (120, 160, 3), np.uint8)
        film.add(cv2.imencode(".jpg", image)[1].tobytes())
    with pytest.raises(OSError, match="of 20 frames could be written"):
        film.close()
