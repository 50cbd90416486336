"""The training loop: it learns, and an interruption costs nothing but time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.batches import Window
from edgecrnn.train.data.store import one_hot
from edgecrnn.train.fit import Epoch, Fitted, fit, standard_error
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.network.trainee import NetworkTrainee
from edgecrnn.train.settings import TrainSettings

pytestmark = pytest.mark.slow

SETTINGS = TrainSettings(epochs=4, batch=4, window=4, warmup=0, learning_rate=0.01)
STEPS = 6


def windows(epoch: int) -> Iterator[Window]:
    """Bright frames are class 1, dark ones class 0."""
    rng = np.random.default_rng(epoch)
    for _ in range(STEPS):
        labels = np.repeat(rng.integers(0, 2, (4, 1)), 4, axis=1).astype(np.int32)
        frames = rng.integers(0, 120, (4, 4, 16, 16, 3)) + 120 * labels[..., None, None, None]
        yield Window(
            frames.astype(np.uint8),
            one_hot(labels, 2),
            np.ones((4, 4), np.float32),
            np.ones(4, np.float32),
        )


def trainee() -> NetworkTrainee:
    chosen = NetworkSettings(width=0.25, units=4, dropout=0.2)
    return NetworkTrainee(build_network(chosen, (16, 16, 3), 2, seed=0))


def fitted(
    net: NetworkTrainee,
    checkpoint: Path,
    resume: bool = False,
    on_epoch: Callable[[Epoch], None] = lambda line: None,
    on_step: Callable[[int, int, float], None] = lambda epoch, step, loss: None,
    settings: TrainSettings = SETTINGS,
) -> Fitted:
    return fit(net, windows, windows, STEPS, settings, checkpoint, resume, on_step, on_epoch)


def said(line: Epoch) -> tuple[float, ...]:
    return (line.loss, line.accuracy, line.val_loss, line.val_accuracy)


def test_it_learns_and_the_seed_decides_how(tmp_path: Path) -> None:
    done, again = (fitted(trainee(), tmp_path / name) for name in ("c.npz", "d.npz"))
    assert done.history[-1].loss < done.history[0].loss
    assert max(line.val_accuracy for line in done.history) > 0.8
    assert [said(line) for line in done.history] == [said(line) for line in again.history]


@pytest.mark.parametrize("after", [1, 3])
def test_an_interrupted_training_goes_on_as_if_it_had_not_been(after: int, tmp_path: Path) -> None:
    whole, cut, resumed = trainee(), trainee(), trainee()
    expected = fitted(whole, tmp_path / "whole.npz")

    def interrupt(epoch: int, step: int, loss: float) -> None:
        if epoch == after and step == 2:
            raise KeyboardInterrupt

    stopped = fitted(cut, tmp_path / "cut.npz", on_step=interrupt)
    assert stopped.interrupted
    assert len(stopped.history) == after
    got = fitted(resumed, tmp_path / "cut.npz", resume=True)
    assert not got.interrupted
    assert got.best_epoch == expected.best_epoch
    np.testing.assert_allclose(
        [said(line) for line in got.history], [said(line) for line in expected.history], atol=1e-5
    )
    for mine, theirs in zip(resumed.weights, whole.weights, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), atol=1e-5)


def test_an_interrupted_first_epoch_leaves_the_weights_that_were_there(tmp_path: Path) -> None:
    net = trainee()
    before = [np.array(weight) for weight in net.weights]

    def interrupt(epoch: int, step: int, loss: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(net, tmp_path / "c.npz", on_step=interrupt)
    for weight, value in zip(net.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), value)


def test_a_training_that_stopped_by_itself_is_not_resumed(tmp_path: Path) -> None:
    """What came after it was interrupted, then it is asked again: it has nothing to add."""
    impatient = dataclasses.replace(SETTINGS, epochs=50, patience=2, learning_rate=0.1)
    first, again = trainee(), trainee()
    expected = fitted(first, tmp_path / "c.npz", settings=impatient)
    scores = [(line.val_accuracy, -line.val_loss) for line in expected.history]
    assert len(scores) == scores.index(max(scores)) + 1 + 2 < 50
    got = fitted(again, tmp_path / "c.npz", resume=True, settings=impatient)
    assert got == expected
    for mine, theirs in zip(again.weights, first.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs))


def test_what_cannot_be_told_from_the_best_may_be_later(tmp_path: Path) -> None:
    """Few items: the last epoch within their error is left. All there are: the best one."""
    for items in (0, 4):
        net = trainee()
        done = fit(net, windows, windows, STEPS, SETTINGS, tmp_path / f"{items}.npz", items=items)
        scores = [line.val_accuracy for line in done.history]
        least = max(scores) - standard_error(max(scores), items)
        assert done.best_epoch == max(i for i, score in enumerate(scores, 1) if score >= least)
    assert standard_error(1.0, 30) == pytest.approx((31 / 32 * 1 / 32 / 32) ** 0.5)


def test_a_loss_that_is_no_number_stops_and_keeps_the_good_weights(tmp_path: Path) -> None:
    net = trainee()

    def spoil(line: Epoch) -> None:
        if line.epoch == 2:
            weight = net.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan, np.float32))

    with pytest.raises(EdgecrnnError, match=r"expected a number.*--learning-rate"):
        fitted(net, tmp_path / "c.npz", on_epoch=spoil)
    with np.load(tmp_path / "c.npz", allow_pickle=False) as kept:
        assert all(np.isfinite(kept[name]).all() for name in kept.files if name != "progress")


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    fitted(trainee(), tmp_path / "c.npz")
    other = NetworkTrainee(
        build_network(NetworkSettings(width=0.25, units=6), (16, 16, 3), 2, seed=0)
    )
    with pytest.raises(EdgecrnnError, match="expected a checkpoint of this network"):
        fitted(other, tmp_path / "c.npz", resume=True)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    fitted(trainee(), tmp_path / "c.npz")
    whole = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EdgecrnnError, match="expected a checkpoint"):
        fitted(trainee(), tmp_path / "c.npz", resume=True)
