"""Uncertain and corrected clips, which train reads."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.runtime.conftest import write_bundle

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.clip import read_clip
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.replay import replay
from edgecrnn.runtime.review import UNSORTED, Review, ReviewSettings, open_review
from edgecrnn.runtime.sinks import Stream
from edgecrnn.train.data.store import DataSettings, load

Picture = Callable[..., np.ndarray]
RULE = DecisionSettings(threshold=0.5, warmup=2)


def stream_of(bundle: Bundle, **changes: Any) -> Stream:
    manifest, variant = bundle.manifest, bundle.manifest.variants[0]
    stream = Stream(
        "0", manifest.labels, manifest.frame_rate, True, manifest.name, RULE, variant.name,
        manifest.files[variant.file],
    )  # fmt: skip
    return dataclasses.replace(stream, **changes)


class Feed:
    """A stream of colours, ten frames a second, into a review; "dim" is none of the labels."""

    def __init__(self, bundle: Bundle, review: Review, picture: Picture):
        self._classify = Classifier(load_engine(bundle), bundle.manifest, RULE, live=True)
        self._review, self._picture = review, picture
        self._count = itertools.count()
        self.labels: list[str] = []

    def __call__(self, colors: Sequence[str]) -> None:
        for color in colors:
            number = next(self._count)
            noise = np.random.default_rng(number).integers(0, 20, (48, 64, 3), np.uint8)
            image = noise + (90 if color == "dim" else self._picture(color) // 2)
            frame = Frame(image.astype(np.uint8), number, number / 10, time.monotonic())
            result = self._classify(frame)
            assert result is not None
            self.labels.append(result.label)
            self._review.write(result, frame)


def settings(folder: Path, **changes: Any) -> ReviewSettings:
    return ReviewSettings(**{"review": str(folder), "review_free": 0.0, **changes})


def test_a_correction_is_a_clip_of_that_label(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    review = Review(settings(tmp_path, review_seconds=2.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["red"] * 60)
    path = review.correct("green")
    assert path.parent == tmp_path / "green"
    clip = read_clip(path)
    assert (clip.head.said, clip.head.why) == ("green", "corrected")
    assert len(clip.moments) in (20, 21)
    assert {moment.label for moment in clip.moments} == {"red"}
    assert all(each.agrees(0.0) for each in replay(bundle, load_engine(bundle), clip))
    # The same frames are not put aside twice.
    with pytest.raises(EdgecrnnError, match="got none yet"):
        review.correct("green")


def test_who_is_uncertain_for_a_while_is_put_aside_unsorted(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    review = Review(settings(tmp_path, review_pause=5.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["red"] * 30 + ["dim"] * 8 + ["red"] * 30)
    assert review.uncertain == 0
    feed(["dim"] * 80)
    assert review.uncertain == 2
    assert [path.name for path in tmp_path.iterdir()] == [UNSORTED]
    first, _ = sorted(path for path in (tmp_path / UNSORTED).iterdir() if path.is_dir())
    clip = read_clip(first)
    assert clip.head.why == "uncertain"
    assert [moment.label for moment in clip.moments[-8:]] == ["unknown"] * 8
    assert "move" in (tmp_path / UNSORTED / "README.txt").read_text()


def test_close_scores_are_uncertain_too(bundle: Bundle, picture: Picture, tmp_path: Path) -> None:
    review = Review(settings(tmp_path, review_margin=1.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["red"] * 40)
    assert set(feed.labels[5:]) == {"red"}
    assert review.uncertain == 1


def test_warming_up_is_not_uncertain(bundle: Bundle, picture: Picture, tmp_path: Path) -> None:
    rule = dataclasses.replace(RULE, warmup=100)
    review = Review(settings(tmp_path, review_margin=1.0), stream_of(bundle, decision=rule))
    Feed(bundle, review, picture)(["dim"] * 90)
    assert review.uncertain == 0


def test_train_reads_what_was_put_aside(bundle: Bundle, picture: Picture, tmp_path: Path) -> None:
    review = Review(settings(tmp_path / "review", review_seconds=2.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    for color in ("red", "green", "red", "green", "red", "green"):
        feed([color] * 30)
        review.correct(color)
    feed(["dim"] * 40)
    assert review.uncertain == 1
    preprocessing = bundle.manifest.preprocessing
    data = load(
        tmp_path / "review", preprocessing, DataSettings(frame_rate=10.0, cache=str(tmp_path / "c"))
    )
    # The unsorted clip is no class, and nothing was left out for being short.
    assert (data.kind, data.labels, data.skipped) == ("clips", ("green", "red"), ())
    assert sum(len(store) for store in data.splits.values()) == 6
    for store in data.splits.values():
        for place in range(len(store)):
            frames = store.clip(place)
            assert frames.shape[1:] == preprocessing.frame_shape
            channel = 1 if data.labels[store.labels[place]] == "green" else 0
            # RGB as the model saw it.
            assert int(frames.mean((0, 1, 2)).argmax()) == channel


def test_a_clip_that_a_person_sorted_is_read_with_the_class(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    review = Review(settings(tmp_path / "review", review_pause=4.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["dim"] * 160)
    found = sorted(path for path in (tmp_path / "review" / UNSORTED).iterdir() if path.is_dir())
    for place, path in enumerate(found[:4]):
        label = ("red", "green")[place % 2]
        (tmp_path / "review" / label).mkdir(exist_ok=True)
        path.rename(tmp_path / "review" / label / path.name)
    data = load(
        tmp_path / "review",
        bundle.manifest.preprocessing,
        DataSettings(frame_rate=10.0, cache=str(tmp_path / "c")),
    )
    assert sum(len(store) for store in data.splits.values()) == 4


def test_a_model_of_pictures_gets_pictures(picture: Picture, tmp_path: Path) -> None:
    bundle = open_bundle(write_bundle(tmp_path / "p.edgecrnn", sequence="columns"))
    review = Review(settings(tmp_path / "review"), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    for color in ("red", "green") * 3:
        feed([color] * 3)
        review.correct(color)
    feed(["dim"] * 30)
    assert [path.suffix for path in (tmp_path / "review" / UNSORTED).glob("0*")] == [".png"]
    data = load(
        tmp_path / "review",
        bundle.manifest.preprocessing,
        DataSettings(cache=str(tmp_path / "c")),
    )
    assert (data.kind, data.labels) == ("pictures", ("green", "red"))
    assert sum(len(store) for store in data.splits.values()) == 6


def test_a_correction_takes_the_same_frames_out_of_the_unsorted(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    review = Review(settings(tmp_path), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["dim"] * 30)
    assert len(list((tmp_path / UNSORTED).glob("0*"))) == 1
    review.correct("blue")
    assert list((tmp_path / UNSORTED).glob("0*")) == []
    assert len(list((tmp_path / "blue").glob("0*"))) == 1


def test_what_was_held_is_what_is_corrected(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    review = Review(settings(tmp_path, review_seconds=2.0), stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["red"] * 30)
    older = review.hold()
    held = review.hold()
    feed(["blue"] * 30)
    with pytest.raises(EdgecrnnError, match="expected what was held last"):
        review.correct("green", older)
    clip = read_clip(review.correct("green", held))
    assert {moment.label for moment in clip.moments} == {"red"}
    with pytest.raises(EdgecrnnError, match="got none yet"):
        review.correct("green", held)
    # What came since is still there.
    assert {moment.label for moment in read_clip(review.correct("blue")).moments} == {"blue"}


def test_the_cap_holds_and_corrected_clips_stay_longest(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    limits = settings(tmp_path, review_cap=0.15, review_pause=2.5, review_seconds=2.0)
    review = Review(limits, stream_of(bundle))
    feed = Feed(bundle, review, picture)
    feed(["red"] * 30)
    review.correct("red")
    feed(["dim"] * 400)
    assert review.uncertain > 10
    written = sum(path.stat().st_size for path in tmp_path.glob("*/*/*"))
    assert 50_000 < written <= 150_000
    assert len(list((tmp_path / "red").iterdir())) == 1


@pytest.mark.parametrize("label", ["yellow", "rot", "", "../red", "unknown"])
def test_a_label_that_the_model_does_not_know_is_refused(
    bundle: Bundle, picture: Picture, tmp_path: Path, label: str
) -> None:
    review = Review(settings(tmp_path), stream_of(bundle))
    Feed(bundle, review, picture)(["red"] * 20)
    with pytest.raises(EdgecrnnError, match="expected a label among red, green, blue"):
        review.correct(label)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["../red", "a/b", ".hidden", "__unsorted"])
def test_a_label_that_is_no_folders_name_is_refused(
    bundle: Bundle, picture: Picture, tmp_path: Path, label: str
) -> None:
    review = Review(settings(tmp_path / "r"), stream_of(bundle, labels=(label, "b", "c")))
    Feed(bundle, review, picture)(["red"] * 20)
    with pytest.raises(EdgecrnnError, match="that can be a folder's name"):
        review.correct(label)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_corrections_while_the_stream_goes_on(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    opened = open_review(settings(tmp_path, review_seconds=1.0), stream_of(bundle))
    assert opened is not None
    review, sink = opened
    feed = Feed(bundle, sink, picture)  # type: ignore[arg-type]
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            feed(["red"] * 5)

    running = threading.Thread(target=go_on)
    running.start()
    made: list[Path] = []
    while len(made) < 5:
        try:
            made.append(review.correct("blue"))
        except EdgecrnnError as error:
            assert "got none yet" in str(error)
    enough.set()
    running.join()
    sink.close()
    for path in made:
        assert all(
            each.agrees(0.0) for each in replay(bundle, load_engine(bundle), read_clip(path))
        )


def test_no_folder_no_review(bundle: Bundle) -> None:
    assert open_review(ReviewSettings(), stream_of(bundle)) is None


def test_a_full_disk_leaves_nothing_half(
    bundle: Bundle, picture: Picture, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(bytes(2_090_000 - 80_000))
    review = Review(settings(small_disk / "review"), stream_of(bundle))
    Feed(bundle, review, picture)(["red"] * 60)
    with pytest.raises(EdgecrnnError, match="could not be written"):
        for _ in range(5):
            Feed(bundle, review, picture)(["red"] * 60)
            review.correct("red")
    assert not list((small_disk / "review").glob(".*"))
    for path in (small_disk / "review").glob("red/*"):
        read_clip(path)
