"""Groups stay whole, classes are spread, and every clip is in just one fold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.cross_validation import renumbered
from edgecrnn.train.data.store import Data, FrameStore, one_hot
from edgecrnn.train.folds import fold_data, groups_of, joined, make_folds, pooled


def store(labels: list[int], prefix: str) -> FrameStore:
    """Clips of two frames; every pixel is the clip's number."""
    count = len(labels)
    frames = np.repeat(np.arange(count, dtype=np.uint8), 2)[:, None, None, None]
    return FrameStore(
        np.broadcast_to(frames, (2 * count, 8, 8, 3)), 2 * np.arange(count + 1),
        np.array(labels, np.int64), tuple(f"{prefix}{i}.avi" for i in range(count)),
        np.eye(2, dtype=np.float32)[labels],
    )  # fmt: skip


def true(labels: np.ndarray) -> np.ndarray:
    return one_hot(labels, 2) > 0.5


def data(**splits: FrameStore) -> Data:
    how = Preprocessing(height=8, width=8)
    return Data("clips", "classify", ("a", "b"), 10.0, how, splits, (), "f" * 64, False, ())


def test_test_clips_are_left_alone() -> None:
    pool = pooled(data(train=store([0, 1], "t"), val=store([1], "v"), test=store([0], "x")))
    assert pool.names == ("t0.avi", "t1.avi", "v0.avi")
    assert pool.labels.tolist() == [0, 1, 1] and pool.starts.tolist() == [0, 2, 4, 6]


def test_each_fold_is_judged_once_and_chooses_once() -> None:
    whole = data(train=store([0, 1] * 6, "t"))
    pool = pooled(whole)
    fold = make_folds(pool.targets > 0.5, pool.names, ("a", "b"), 3, 0)
    parts = [fold_data(whole, pool, fold, number) for number in range(3)]
    for split in ("val", "test"):
        names = [name for part in parts for name in part.splits[split].names]
        assert sorted(names) == sorted(pool.names)
    for part in parts:
        names = [name for one in part.splits.values() for name in one.names]
        assert sorted(names) == sorted(pool.names)
        test = part.splits["test"]
        # The frames went with their clips.
        for i, name in enumerate(test.names):
            assert (test.clip(i) == int(name[1:-4])).all()
        assert sorted(np.bincount(test.labels)) == [2, 2]
    assert len({part.hash for part in parts} | {whole.hash}) == 4


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 99), st.integers(3, 6), st.integers(7, 30))
def test_groups_stay_whole(seed: int, count: int, groups: int) -> None:
    random = np.random.default_rng(seed)
    names = [f"g{i}" for i in range(groups) for _ in range(int(random.integers(1, 5)))]
    # Every group has both classes, so that every training does.
    labels = np.array([i % 2 for i in range(2 * len(names))], np.int64)
    fold = make_folds(true(labels), [*names, *names], ("a", "b"), count, seed)
    where = {name: {int(f) for n, f in zip([*names, *names], fold, strict=True) if n == name}
             for name in names}  # fmt: skip
    assert all(len(folds) == 1 for folds in where.values())
    assert set(fold.tolist()) == set(range(count))


def test_groups_by_expression_and_by_recording() -> None:
    names = ("a/cam1_0.avi", "b/cam1_1.avi", "a/cam2_0.avi")
    assert groups_of(names, {}, r"(cam\d)_") == ("cam1", "cam1", "cam2")
    assert groups_of(names, {}, r"cam\d") == ("cam1", "cam1", "cam2")
    # A clip kept as a folder: what stands behind a dot belongs to its name.
    one, other = groups_of(("a/1.5m_s1", "a/1.5m_s2"), {}, None)
    assert one == other
    one, other = groups_of(("a/gate.avi", "b/gate_rev.avi"), {}, None)
    assert one == other
    one, other = groups_of(("a/x.avi", "b/y.avi"), {"a/x.avi": "same", "b/y.avi": "same"}, None)
    assert one == other
    assert len(set(groups_of(("a/0.avi", "b/0.avi"), {}, None))) == 2


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "--group: expected a regular expression, got '\\('"),
        ("dog", "expected to find 'dog' in the name of every file, got 'cat.avi'"),
    ],
)
def test_expressions_that_do_not_work(pattern: str, said: str) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        groups_of(("a/cat.avi",), {}, pattern)


def test_folds_that_cannot_be() -> None:
    labels = np.array([0, 1, 0, 1, 0], np.int64)
    with pytest.raises(EdgecrnnError, match="got 3 folds of 2 groups"):
        make_folds(true(labels), ["g", "g", "h", "h", "h"], ("a", "b"), 3, 0)
    with pytest.raises(EdgecrnnError, match="got none of 'b' beside the folds"):
        make_folds(true(np.array([0, 0, 0, 1, 0])), list("vwxyz"), ("a", "b"), 3, 0)


def test_a_set_of_labels_that_stands_once_can_be_folded() -> None:
    """It is the labels that every training needs; what none is true of is spread too."""
    rows = [(1, 0)] * 4 + [(0, 1)] * 4 + [(1, 1)] + [(0, 0)] * 3
    fold = make_folds(np.array(rows, bool), [str(i) for i in range(12)], ("a", "b"), 3, 0)
    assert np.bincount(fold).tolist() == [4, 4, 4]
    assert sorted(fold[9:].tolist()) == [0, 1, 2]


def test_sets_that_each_fold_numbers_for_itself() -> None:
    known: list[str] = []
    assert renumbered(np.array([0, 1, 1]), ("dark", "dark+wet", "another set"), known) == (0, 1, 1)
    assert renumbered(np.array([0, 2, 1]), ("none", "dark", "another set"), known) == (2, 3, 0)
    assert known == ["dark", "dark+wet", "none", "another set"]


def test_what_shows_the_same_joins_its_groups() -> None:
    groups = ("a", "b", "b", "c", "d")
    assert joined(groups, []) == groups
    # By way of b, a and c come together.
    assert joined(groups, [(0, 1), (2, 3), (3, 0)]) == ("a", "a", "a", "a", "d")
