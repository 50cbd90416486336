"""Which clips are judged, on real folders."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.store import Data, DataSettings, load
from edgecrnn.train.evaluation.choice import TrainedOn, choose_clips, join_stores

SMALL = Preprocessing(height=8, width=8)
LABELS = ("cat", "dog")


def pictures(root: Path, splits: tuple[str, ...] = ("",), count: int = 12) -> Path:
    for s, split in enumerate(splits):
        for c, label in enumerate(LABELS):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                random = np.random.default_rng((s, c, i))
                image = random.integers(0, 255, (8, 8, 3), np.uint8)
                assert cv2.imwrite(str(folder / f"{i}.png"), image)
    return root


def loaded(root: Path, tmp_path: Path) -> Data:
    return load(root, SMALL, DataSettings(cache=str(tmp_path / "cache")), LABELS)


def test_test_is_judged_where_it_is_given(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data", ("train", "val", "test")), tmp_path)
    chosen = choose_clips(data, None, None)
    assert (chosen.split, len(chosen.clips), chosen.said) == ("test", 24, "the test split")
    assert choose_clips(data, "val", None).split == "val"


def test_val_stands_in_for_test_and_says_so(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data", ("train", "val")), tmp_path)
    chosen = choose_clips(data, None, None)
    assert chosen.split == "val"
    assert "no test" in chosen.said
    with pytest.raises(EdgecrnnError, match="one of train, val, got 'test'"):
        choose_clips(data, "test", None)


def test_only_train_is_judged_with_a_warning(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data", ("train",)), tmp_path)
    chosen = choose_clips(data, None, None)
    assert chosen.split == "train"
    assert "may know it" in chosen.said


def test_the_split_that_training_made_is_used_again(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data"), tmp_path)
    chosen = choose_clips(data, None, TrainedOn(data.hash, made_split=True, seed=0))
    assert chosen.split == "test"
    assert "training made" in chosen.said
    assert 0 < len(chosen.clips) < 24


@pytest.mark.parametrize("trained", [None, TrainedOn("another", made_split=True, seed=0)])
def test_other_data_without_splits_is_judged_whole(
    tmp_path: Path, trained: TrainedOn | None
) -> None:
    data = loaded(pictures(tmp_path / "data"), tmp_path)
    chosen = choose_clips(data, None, trained)
    assert (chosen.split, len(chosen.clips)) == ("all", 24)
    assert ("not known" in chosen.said) == (trained is None)


def test_a_folder_too_small_to_split_is_judged_whole(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data", count=1), tmp_path)
    chosen = choose_clips(data, None, TrainedOn("another", made_split=False, seed=0))
    assert (chosen.split, len(chosen.clips)) == ("all", 2)


def test_joined_stores_keep_frames_labels_and_names_together(tmp_path: Path) -> None:
    data = loaded(pictures(tmp_path / "data"), tmp_path)
    stores = list(data.splits.values())
    joined = join_stores(stores)
    assert len(joined) == sum(map(len, stores)) == 24
    position = 0
    for store in stores:
        for i in range(len(store)):
            np.testing.assert_array_equal(joined.clip(position), store.clip(i))
            assert joined.labels[position] == store.labels[i]
            assert joined.names[position] == store.names[i]
            position += 1
    assert joined.starts.tolist() == list(range(25))
