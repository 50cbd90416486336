from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.split import assign, group

SHARES = {"val": 0.15, "test": 0.15}
LABELS = tuple("abcd")


def test_stratified_seventy_fifteen_fifteen() -> None:
    classes = [0] * 200 + [1] * 40 + [2] * 20
    stems = [f"x{i}" for i in range(len(classes))]
    splits = assign(stems, classes, stems, LABELS, SHARES, 0)
    assert Counter(zip(classes, splits, strict=True)) == {
        (0, "train"): 140, (0, "val"): 30, (0, "test"): 30,
        (1, "train"): 28, (1, "val"): 6, (1, "test"): 6,
        (2, "train"): 14, (2, "val"): 3, (2, "test"): 3,
    }  # fmt: skip


def test_the_seed_decides() -> None:
    stems = [f"x{i}" for i in range(40)]
    runs = [assign(stems, [0, 1] * 20, stems, LABELS, SHARES, s) for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_parts_and_copies_are_one_group() -> None:
    stems = ["a", "a_rev", "b_w1", "b_w2_rev", "c", "d", "001", "001"]
    digests = ["1", "2", "3", "4", "5", "5", "6", "7"]
    assert group(stems, digests) == [[0, 1], [2, 3], [4, 5], [6], [7]]


def test_a_group_may_be_joined_through_a_copy() -> None:
    assert group(["a_w1", "a_w2", "b"], ["1", "2", "2"]) == [[0, 1, 2]]


def test_a_class_of_one_group_is_refused() -> None:
    with pytest.raises(EdgecrnnError, match=r"^b: expected at least two recordings"):
        assign(["a", "c", "b_w1", "b_w2"], [0, 0, 1, 1], list("1234"), LABELS, SHARES, 0)


@st.composite
def folders(draw: st.DrawFn) -> tuple[list[str], list[int], list[str]]:
    """Files of up to four classes: some windows of one recording, some copies."""
    count = draw(st.integers(2, 60))
    stems = [f"r{draw(st.integers(0, 25))}_w{i}" for i in range(count)]
    classes = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    digests = [str(draw(st.integers(0, 300))) for _ in range(count)]
    return stems, classes, digests


@settings(max_examples=150, deadline=None)
@given(folders(), st.integers(0, 5))
def test_groups_stay_whole_and_classes_are_everywhere(
    files: tuple[list[str], list[int], list[str]], seed: int
) -> None:
    stems, classes, digests = files
    groups = group(stems, digests)
    of_class = {c: [g for g in groups if any(classes[i] == c for i in g)] for c in set(classes)}
    if min(map(len, of_class.values())) < 2:
        with pytest.raises(EdgecrnnError):
            assign(stems, classes, digests, LABELS, SHARES, seed)
        return
    splits = assign(stems, classes, digests, LABELS, SHARES, seed)
    for members in groups:
        assert len({splits[i] for i in members}) == 1
    for c in of_class:
        assert "train" in {s for s, k in zip(splits, classes, strict=True) if k == c}


def test_three_single_files_go_one_to_each() -> None:
    splits = assign(list("abcdef"), [0, 0, 0, 1, 1, 1], list("123456"), LABELS, SHARES, 3)
    assert sorted(splits[:3]) == sorted(splits[3:]) == ["test", "train", "val"]


def test_two_files_go_to_train_and_val() -> None:
    splits = assign(list("abcd"), [0, 0, 1, 1], list("1234"), LABELS, SHARES, 3)
    assert sorted(splits[:2]) == sorted(splits[2:]) == ["train", "val"]
