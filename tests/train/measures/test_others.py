"""The other measures, each on a case that was worked out by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from edgecrnn.train.measures.bootstrap import gain, paired_gain, resampled
from edgecrnn.train.measures.boxes import (
    BoxNotes,
    average_precision,
    box_notes,
    mean_average_precision,
    overlap,
)
from edgecrnn.train.measures.correlation import spearman
from edgecrnn.train.measures.edges import THRESHOLDS, best_f1, edge_counts
from edgecrnn.train.measures.neighbours import hits
from edgecrnn.train.measures.regions import confusion, mean_iou


def test_overlap() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 2, 2)) == 0.0


def test_a_box_is_found_once() -> None:
    true = [(0, 0, 4, 4, 1.0, 0.0)]
    found = [(0, 0, 4, 4, 0.9, 0.0), (0, 0, 4, 4, 0.8, 0.0), (0, 0, 4, 4, 0.7, 1.0)]
    noted = box_notes(found, true)
    assert noted.found == ((0, 0.9, True), (0, 0.8, False), (1, 0.7, False))
    assert noted.true == (0,)


def test_average_precision_of_a_ranking() -> None:
    # Right, wrong, right, of three true ones: 1/3 at precision 1, 1/3 at 2/3.
    noted = [BoxNotes(((0, 0.9, True), (0, 0.8, False), (0, 0.7, True)), (0, 0, 0))]
    assert average_precision(noted, 0) == pytest.approx(1 / 3 + 2 / 9)
    assert mean_average_precision(noted) == pytest.approx(1 / 3 + 2 / 9)
    assert mean_average_precision([]) == 0.0


def test_mean_intersection_over_union() -> None:
    true = np.array([[0, 0, 1, 1]])
    found = np.array([[0, 1, 1, 1]])
    # Class 0: 1 of 2; class 1: 2 of 3; class 2 is nowhere and does not count.
    assert mean_iou(confusion(found, true, 3)) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_edges_a_pixel_off_are_found() -> None:
    true = np.zeros((9, 9), bool)
    true[:, 4] = True
    off = np.roll(true, 1, axis=1).astype(np.float32)
    assert best_f1(edge_counts(off, true)[None]) == pytest.approx(1.0)
    far = np.roll(true, 3, axis=1).astype(np.float32)
    assert best_f1(edge_counts(far, true)[None]) == 0.0
    assert edge_counts(off, true).shape == (len(THRESHOLDS), 4)


def test_ranks_that_are_shared() -> None:
    one = np.array([1.0, 2.0, 2.0, 4.0])
    assert spearman(one, one**3) == pytest.approx(1.0)
    assert spearman(one, -one) == pytest.approx(-1.0)
    # Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4.
    assert spearman(one, np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.9487, abs=1e-4)
    assert spearman(one, np.ones(4)) == 0.0


def test_neighbours() -> None:
    vectors = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]], np.float32)
    labels = np.array([0, 0, 1, 2, 1])
    assert hits(vectors, labels, 1).tolist() == [True, True, False, False, False]
    assert hits(vectors, labels, 2).tolist() == [True, True, True, False, True]


def test_neighbours_of_many_take_memory_by_their_number_not_its_square() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(4000, 4)).astype(np.float32)
    tracemalloc.start()
    hits(vectors, random.integers(0, 5, 4000), 1)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200e6


def test_a_difference_and_its_interval() -> None:
    rng = np.random.default_rng(1)
    theirs = rng.normal(0, 5, 300)
    surely = paired_gain(theirs + rng.normal(1.0, 1.0, 300), theirs)
    assert surely.wins and surely.low < 1.0 < surely.high
    assert not paired_gain(theirs + rng.normal(0.0, 1.0, 300) - 0.2, theirs).wins


def test_any_statistic_can_be_drawn_again() -> None:
    values = np.arange(100.0)
    low, high = resampled(lambda chosen: float(np.median(values[chosen])), 100)
    assert low < 49.5 < high
    one = gain(lambda chosen: float(values[chosen].max()), lambda chosen: 0.0, 100)
    assert one.mean == 99.0 and one.high <= 99.0
