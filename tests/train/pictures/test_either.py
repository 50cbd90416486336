"""Generating beside another task: each taught and judged by frames of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.seeds import is_seed
from edgecrnn.train.pictures.examples import batch_steps, fixed_examples, judged_batches
from edgecrnn.train.pictures.examples import training_batches as batches
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.load import Pictures, load_pictures
from edgecrnn.train.tasks import picture_task

SMALL = Preprocessing(height=32, width=32)
SEGMENT = picture_task("generate+segment")


@pytest.fixture(scope="module")
def pictures(scenes: Path) -> Pictures:
    return load_pictures(find_pictures(scenes, "masks", 0), SMALL).splits["val"]


def test_each_picture_is_asked_for_and_read(pictures: Pictures) -> None:
    settings = SEGMENT.Settings()
    examples = list(fixed_examples(SEGMENT, settings, pictures, "val"))
    assert len(examples) == 2 * len(pictures)
    for index, picture in enumerate(pictures.pictures):
        noise, shown = examples[2 * index : 2 * index + 2]
        assert is_seed(noise.frame) and not is_seed(shown.frame)
        assert (noise.target.part, shown.target.part) == (0, 1)
        # No mask has a class: the noise asks for a picture of none.
        assert np.array_equal(noise.target.target[..., :3], picture)
        assert (noise.target.target[..., 3] == -1).all()
        assert np.array_equal(shown.frame, picture)
        assert np.array_equal(shown.target.target, pictures.truths[index].mask)


def test_a_batch_has_as_many_of_either(pictures: Pictures) -> None:
    settings = SEGMENT.Settings()
    (window, other) = batches(SEGMENT, settings, pictures, 4, 0, 0)
    assert batch_steps(pictures, 4) == 2 and other.frames.shape == window.frames.shape
    assert window.frames.shape == (8, 1, 32, 32, 3) and window.weights.shape == (8, 1)
    assert [is_seed(frame[0]) for frame in window.frames] == [True] * 4 + [False] * 4
    assert [each.shape for each in window.targets] == [(4, 1, 32, 32, 4), (4, 1, 32, 32)]
    last = list(judged_batches(SEGMENT, settings, pictures, "val", 5))[-1]
    # Three pictures are left: two of each kind fill the batch up and do not count.
    assert last.weights[:, 0].tolist() == [1, 1, 1, 0, 0, 1, 1, 1, 0, 0]


def test_what_is_read_is_a_part_of_the_picture_and_what_is_made_is_whole(
    pictures: Pictures,
) -> None:
    settings = SEGMENT.Settings()
    (window,) = batches(SEGMENT, settings, pictures, 8, 0, 0)
    known = {picture.tobytes() for picture in pictures.pictures}
    true = window.targets[0][:, 0, ..., :3].astype(np.uint8)
    assert all(each.tobytes() in known for each in true)
    assert not all(each.tobytes() in known for each in window.frames[8:, 0])


def losses(pictures: Pictures, answers: Any) -> np.ndarray:
    settings = SEGMENT.Settings()
    window = next(batches(SEGMENT, settings, pictures, 4, 0, 0))
    targets = tuple(each[:, 0] for each in window.targets)
    return np.asarray(SEGMENT.loss(settings, answers, targets))


def test_what_a_frame_does_not_ask_for_costs_nothing(pictures: Pictures) -> None:
    rng = np.random.default_rng(0)
    made = rng.uniform(0, 255, (8, 32, 32, 3)).astype(np.float32)
    read = rng.dirichlet(np.ones(11), (8, 32, 32)).astype(np.float32)
    before = losses(pictures, (made, read))
    made[4:], read[:4] = 0.0, 1.0 / 11
    assert before.shape == (8,) and np.array_equal(losses(pictures, (made, read)), before)
    read[4:] = 1.0 / 11
    changed = losses(pictures, (made, read)) != before
    assert not changed[:4].any() and changed[4:].all()


def test_pictures_are_made_by_class_where_there_are_classes() -> None:
    classify, detect = (picture_task(f"generate+{name}") for name in ("classify", "detect"))
    assert classify.NEEDS == "classes" and "as_asked" in classify.MEASURES
    assert detect.NEEDS == "boxes" and "as_asked" not in detect.MEASURES
    assert classify.MEASURES[-1] == "accuracy" and detect.MEASURES[-1] == "map_at_50"
    assert (classify.ANSWER, detect.ANSWER) == ("picture|label", "picture|boxes")
