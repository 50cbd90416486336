"""Each task's loss, scores and what it calls right, against the same by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.tasks import LABEL_TASKS, check_task, task_of

LOGITS = np.array([[2.0, -1.0, 0.5], [-3.0, 0.0, 4.0]], np.float32)
ONE = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
SEVERAL = np.array([[1, 0, 1], [0, 0, 0]], np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_classify() -> None:
    task = task_of("classify")
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    assert np.allclose(task.scores(LOGITS), shares, atol=1e-6)
    assert np.allclose(task.loss(LOGITS, ONE), -np.log(shares[[0, 1], [0, 1]]), atol=1e-5)
    smooth = 0.9 * ONE + 0.1 / 3
    wanted = -(smooth * np.log(shares)).sum(1)
    assert np.allclose(task.loss(LOGITS, ONE, 0.1), wanted, atol=1e-5)
    assert np.asarray(task.right(LOGITS, ONE)).tolist() == [1.0, 0.0]


def test_multilabel() -> None:
    task = task_of("multilabel")
    shares = sigmoid(LOGITS)
    assert np.allclose(task.scores(LOGITS), shares, atol=1e-6)
    wanted = -(SEVERAL * np.log(shares) + (1 - SEVERAL) * np.log(1 - shares)).mean(1)
    assert np.allclose(task.loss(LOGITS, SEVERAL), wanted, atol=1e-5)
    assert np.allclose(task.right(LOGITS, SEVERAL), [1.0, 2 / 3])
    # Both may be true at once, which a softmax rules out.
    assert np.all(np.asarray(task.scores(np.full((1, 2), 9.0, np.float32))) > 0.99)


@pytest.mark.parametrize("name", ["classify", "multilabel"])
def test_the_same_answer_is_not_apart(name: str) -> None:
    task = task_of(name)
    assert np.allclose(task.apart(LOGITS, LOGITS), 0.0)
    there, back = task.apart(LOGITS, -LOGITS), task.apart(-LOGITS, LOGITS)
    assert np.all(np.asarray(there) > 0) and np.allclose(there, back)


def test_large_logits_are_no_overflow() -> None:
    far = np.array([[500.0, -500.0]], np.float32)
    for name in LABEL_TASKS:
        assert np.isfinite(np.asarray(task_of(name).loss(far, 1 - (far > 0)))).all()


def test_a_task_that_is_none() -> None:
    check_task("classify")
    with pytest.raises(
        EdgecrnnError, match=r"multilabel.*, got 'multilable' \(did you mean 'multilabel'"
    ):
        check_task("multilable")
