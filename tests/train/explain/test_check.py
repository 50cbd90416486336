"""The check: masks of the right size, nothing seen under them, a verdict that goes both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf  # noqa: E402

from edgecrnn.runtime.errors import EdgecrnnError  # noqa: E402
from edgecrnn.train.data.store import FrameStore, one_hot  # noqa: E402
from edgecrnn.train.explain import gradcam  # noqa: E402
from edgecrnn.train.explain.answers import answers, logits_of, scores_of  # noqa: E402
from edgecrnn.train.explain.check import (  # noqa: E402
    CheckSettings,
    check_by_masking,
    check_text,
)
from edgecrnn.train.explain.explanation import Explainer, open_explainer  # noqa: E402
from edgecrnn.train.explain.masking import hottest, masked_answers, moved  # noqa: E402
from edgecrnn.train.network.network import build_network  # noqa: E402
from edgecrnn.train.network.picture import picture  # noqa: E402
from edgecrnn.train.network.settings import NetworkSettings  # noqa: E402


def test_the_hottest_fifth_is_a_fifth_of_each_frame_and_the_hottest() -> None:
    random = np.random.default_rng(0)
    heat = random.random((4, 10, 15)).astype(np.float32)
    masks = hottest(heat, 0.2, random)
    assert masks.sum(axis=(1, 2)).tolist() == [30] * 4
    for frame, mask in zip(heat, masks, strict=True):
        assert frame[mask].min() >= frame[~mask].max()


def test_equal_heat_is_drawn_by_lot() -> None:
    cold = np.zeros((1, 10, 10), np.float32)
    one, other = (hottest(cold, 0.2, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.sum() == other.sum() == 20 and (one != other).any()


def test_a_moved_mask_keeps_its_size_and_its_motion() -> None:
    random = np.random.default_rng(0)
    masks = hottest(random.random((3, 12, 9)).astype(np.float32), 0.2, random)
    for _ in range(5):
        there = moved(masks, random)
        assert there.sum(axis=(1, 2)).tolist() == masks.sum(axis=(1, 2)).tolist()
        # Each frame's mask moved by the same step.
        steps = [
            {
                (dy, dx)
                for dy in range(12)
                for dx in range(9)
                if (np.roll(one, (dy, dx), axis=(0, 1)) == other).all()
            }
            for one, other in zip(masks, there, strict=True)
        ]
        assert set.intersection(*steps)


@pytest.mark.parametrize("motion", [True, False])
def test_what_is_masked_is_not_seen(motion: bool) -> None:
    settings = NetworkSettings(units=8, width=0.25, motion=motion)
    net: Any = build_network(settings, (16, 24, 3), 3, seed=2)
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (6, 16, 24, 3), dtype=np.uint8)
    nothing = np.zeros((6, 16, 24), np.bool_)
    part = nothing.copy()
    part[:, 4:12, 6:18] = True
    whole = masked_answers(net, frames, np.stack([nothing, part]), 2)
    plain = answers(scores_of(net, logits_of(net, frames[None]))[0], 2)
    np.testing.assert_allclose(whole[0], plain, atol=1e-6)
    assert np.abs(whole[1] - whole[0]).max() > 1e-4
    # The same pixels in another order under the mask: the mean stays, and so does the answer.
    shuffled = frames.copy()
    for frame in shuffled:
        hidden = frame[4:12, 6:18].reshape(-1, 3)
        frame[4:12, 6:18] = random.permutation(hidden).reshape(8, 12, 3)
    again = masked_answers(net, shuffled, part[None], 2)
    np.testing.assert_allclose(again[0], whole[1], atol=1e-6)


def test_a_mask_that_moves_is_no_motion() -> None:
    """A still gray clip stays still and gray under any mask."""
    net: Any = build_network(NetworkSettings(units=8, width=0.25), (16, 24, 3), 3, seed=2)
    frames = np.full((6, 16, 24, 3), 120, np.uint8)
    masks = np.random.default_rng(0).random((2, 6, 16, 24)) < 0.3
    masks[0] = False
    # The first frame differs from the black before it; that is the same in all clips.
    masks[:, 0] = False
    still, moving = masked_answers(net, frames, masks, 2)
    np.testing.assert_allclose(moving, still, atol=1e-6)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, FrameStore]:
    """A network that has learned whether a square stands in a picture, and squares it has not seen.

    A class needs something to see: told from each other alone, one of two squares may be whatever
    is not the other, and hiding it changes nothing.
    """
    shape = (32, 32, 3)

    def pictures(
        count: int, seed: int, classes: tuple[int, ...] = (0, 1)
    ) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        frames = random.integers(0, 70, (count, *shape), dtype=np.uint8)
        labels = random.choice(classes, count)
        for index in np.flatnonzero(labels):
            top, left = random.integers(0, 24, 2)
            frames[index, top : top + 8, left : left + 8] = (230, 60, 60)
        return frames, labels

    net: Any = build_network(
        NetworkSettings("columns", "light", units=8, width=0.5, dropout=0.0), shape, 2, seed=0
    )
    frames, labels = pictures(256, 0)
    adam = keras.optimizers.Adam(0.01)

    @tf.function
    def step(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(y, picture(net, x, training=True))
            )
        adam.apply_gradients(
            zip(tape.gradient(loss, net.trainable_weights), net.trainable_weights, strict=True)
        )

    random = np.random.default_rng(0)
    for _ in range(80):
        drawn = random.integers(0, len(frames), 32)
        step(frames[drawn].astype(np.float32), labels[drawn])
    frames, labels = pictures(30, 1, (1,))
    store = FrameStore(
        frames, np.arange(31), labels, tuple(map(str, range(30))), one_hot(labels, 2)
    )
    logits = logits_of(net, frames[:, None])[:, 0]
    assert (np.asarray(logits).argmax(axis=1) == labels).mean() > 0.9
    return net, store


@pytest.fixture
def explainer(learned: tuple[Any, FrameStore], picture_run: Path) -> Explainer:
    return Explainer(open_explainer(picture_run).record, learned[0])


def test_heat_of_a_network_that_has_learned_beats_chance(
    explainer: Explainer, learned: tuple[Any, FrameStore]
) -> None:
    # Four cells a side: the gradient of a single cell says less here than the mean of all.
    asked = CheckSettings(method=gradcam.GRAD_CAM)
    result = check_by_masking(explainer, learned[1], asked)
    assert result.holds and result.clips == 30
    low, high = result.difference
    assert 0 < low < result.drop_heat - result.drop_random < high
    assert "shows what the network looks at" in check_text(result, "pictures")
    again = check_by_masking(explainer, learned[1], asked)
    assert again == result


def test_heat_that_is_made_up_does_not_hold(
    explainer: Explainer, learned: tuple[Any, FrameStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up = np.random.default_rng(5)

    def anywhere(network: Any, frames: np.ndarray, *rest: Any) -> np.ndarray:
        values = made_up.random((len(frames), 4, 4)).astype(np.float32)
        return values.repeat(8, axis=1).repeat(8, axis=2)

    monkeypatch.setattr(gradcam, "heat", anywhere)
    result = check_by_masking(explainer, learned[1], CheckSettings())
    assert not result.holds
    assert "NOT better than chance" in check_text(result, "pictures")


def test_only_so_many_clips_are_checked(
    explainer: Explainer, learned: tuple[Any, FrameStore]
) -> None:
    seen: list[tuple[int, int]] = []
    settings = CheckSettings(clips=4, draws=2)
    result = check_by_masking(
        explainer, learned[1], settings, lambda done, of: seen.append((done, of))
    )
    assert result.clips == 4 and seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert result.to_dict()["holds"] in (True, False)


def test_a_long_clip_is_checked_by_its_beginning(clip_run: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (900, 16, 16, 3)).astype(np.uint8)
    labels = np.zeros(1, np.int64)
    results = [
        check_by_masking(
            open_explainer(clip_run),
            FrameStore(frames[:count], np.array([0, count]), labels, ("a",), one_hot(labels, 3)),
            CheckSettings(draws=1),
        )
        for count in (600, 900)
    ]
    assert results[0] == results[1]


def test_no_clips_is_an_error(explainer: Explainer) -> None:
    none = FrameStore(
        np.zeros((0, 16, 16, 3), np.uint8),
        np.zeros(1, np.int64),
        np.zeros(0, np.int64),
        (),
        np.eye(0),
    )
    with pytest.raises(EdgecrnnError, match="expected at least one clip"):
        check_by_masking(explainer, none, CheckSettings())
